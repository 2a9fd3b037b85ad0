import { z } from 'zod'
import type { Finding } from '../reading/issues.ts'
import type { Path } from '../reading/yaml-tree.ts'

/** The names are those of environment variables and files. */
export const secretPattern = /secret:([A-Za-z][A-Za-z0-9_]{0,62})/

/** Headers that an address is asked with. */
export const SentHeaders = z
  .record(
    z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'is no name of a header'),
    z
      .string()
      .max(1000)
      .regex(/^[\t\x20-\x7e]*$/, 'must be one line of plain characters'),
  )
  .default({})
  .describe('Headers it is asked with; secret:NAME stands for the secret.')
export type SentHeaders = z.output<typeof SentHeaders>

export const AskedUrl = z
  .url({ protocol: /^https?$/, error: 'must be an address such as https://host/path' })
  .describe('What is asked. Private addresses and http: only of hosts in OVERNIGHT_ALLOW_HOSTS.')

/** Why an address would not be asked here; undefined = nothing against it. */
export type CheckUrl = (url: string) => { message: string; hint: string } | undefined

/** Every secret that would be sent. */
export function secretsIn(headers: SentHeaders): string[] {
  const found = Object.values(headers).flatMap((value) =>
    [...value.matchAll(new RegExp(secretPattern, 'g'))].map((match) => match[1] ?? ''),
  )
  return [...new Set(found)]
}

/** Headers that say who asks. */
const credential = /authorization|cookie|token|key|secret|password/i

/** What is asked, and what with, below `path` of a file. */
export function checkSent(
  { url, headers }: { url: string; headers: SentHeaders },
  path: Path,
  checkUrl: CheckUrl,
): Finding[] {
  const { username, password } = new URL(url)
  const isSignedIn = username !== '' || password !== ''
  // What follows `secret:` in a signed-in address may be a password.
  const [secret] = isSignedIn ? [] : (secretPattern.exec(url) ?? [])
  const refused = isSignedIn ? undefined : checkUrl(url)
  const open = Object.entries(headers).filter(([name, value]) => credential.test(name) && !secretPattern.test(value))
  const at = (key: Path, words: { message: string; hint: string }): Finding => ({
    path: [...path, ...key],
    at: 'value',
    ...words,
  })
  return [
    ...(isSignedIn
      ? [
          at(['url'], {
            message: 'there is a user or a password in the address',
            hint: 'take it out, and write headers: { Authorization: "Basic secret:NAME" }',
          }),
        ]
      : []),
    ...(secret === undefined
      ? []
      : [
          at(['url'], {
            message: `a secret is not filled in here: ${secret} would be sent as it is written`,
            hint: `write it under headers:, such as { Authorization: "Bearer ${secret}" }`,
          }),
        ]),
    ...(refused ? [at(['url'], { ...refused, hint: withSecrets(refused.hint, headers) })] : []),
    ...open.map(([name]) =>
      at(['headers', name], {
        message: 'a credential must not stand in this file',
        hint: 'write secret:NAME in its place, such as "Bearer secret:NAME"',
      }),
    ),
  ]
}

/** A secret has a list of its own: told at once, not after the other one was written. */
function withSecrets(hint: string, headers: SentHeaders): string {
  const lists = secretsIn(headers).map((name) => `OVERNIGHT_SECRET_${name}_HOSTS`)
  return lists.length === 0 ? hint : `${hint}; secrets go there when it is also in ${lists.join(' and ')}`
}
