import { SetupError } from '../errors.ts'
import { secretPattern } from '../routines/definitions/sent-headers.ts'
import type { SentSecretOf } from './secrets.ts'

type Sent = Awaited<ReturnType<SentSecretOf>>

/** The text with each `secret:NAME` in it replaced. Throws SetupError for one that is not there, or must not go there. */
export async function fillSecrets(text: string, secretOf: (name: string) => Promise<Sent>): Promise<string> {
  const parts = text.split(secretPattern)
  const filled = await Promise.all(
    parts.map(async (part, index) => {
      if (index % 2 === 0) return part
      const secret = await secretOf(part)
      if ('value' in secret) return secret.value
      throw new SetupError(secret.message, secret.hint)
    }),
  )
  return filled.join('')
}
