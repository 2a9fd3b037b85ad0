import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import type { KnownSecret } from '../secrets/finder.ts'
import { isTooShort } from '../secrets/forms.ts'
import type { Redaction } from '../secrets/redaction.ts'
import type { SecretStore } from '../secrets/store.ts'

/** Teaches the redaction every secret that this process holds or could read now. A file that cannot be read is no secret of ours. */
export async function learnSecrets(
  config: Config,
  { learn }: Pick<Redaction, 'learn'>,
  store?: Pick<SecretStore, 'known'>,
): Promise<void> {
  configured(config).forEach(learn)
  // Of a ledger that is away nothing new is learnt; what it held is known since the last time.
  for (const secret of (await store?.known().catch(() => [])) ?? []) learn(secret)
  const { paths, github } = config
  const names = (await readdir(paths.secrets).catch(() => [])).filter((name) => !name.endsWith('.hosts'))
  const files: [name: string, path: string][] = [
    ...names.map((name): [string, string] => [name, join(paths.secrets, name)]),
    ['OVERNIGHT_TOKEN', paths.token],
    ['OVERNIGHT_WEBHOOK_SECRET', paths.webhookSecret],
    ['OVERNIGHT_SECRETS_KEY', paths.secretsKey],
    ...(github.auth?.kind === 'app' ? [['GITHUB_APP_KEY', github.auth.keyFile] as [string, string]] : []),
  ]
  await Promise.all(
    files.map(async ([name, path]) => learn({ name, value: await readFile(path, 'utf8').catch(() => '') })),
  )
}

/** Names of those that this process could read now and that are too short to be found in texts. */
export async function shortSecrets(config: Config): Promise<string[]> {
  const names = new Set<string>()
  await learnSecrets(config, { learn: ({ name, value }) => void (isTooShort(value) && names.add(name)) })
  return [...names].toSorted()
}

function configured(config: Config): KnownSecret[] {
  const { secrets, gitHubSecrets, github, model, webhookSecret = '' } = config
  const named: [name: string, value: string | undefined][] = [
    ...Object.entries(secrets).filter(([name]) => !name.endsWith('_HOSTS')),
    ...(config.secretsKey ?? '').split(/\s+/).map((key): [string, string] => ['SECRETS_KEY', key]),
    ['GITHUB_WEBHOOK_SECRET', gitHubSecrets.current],
    ['GITHUB_WEBHOOK_SECRET', gitHubSecrets.old],
    ['GITHUB_TOKEN', github.auth?.kind === 'token' ? github.auth.token : undefined],
    ...webhookSecret.split(' ').map((one): [string, string] => ['WEBHOOK_SECRET', one.replace(/^whsec_/, '')]),
    ['ANTHROPIC_API_KEY', model.apiKey],
    ['CLAUDE_CODE_OAUTH_TOKEN', model.oauthToken],
    ['DATABASE_URL', passwordIn(config.databaseUrl)],
    ['REDIS_URL', passwordIn(config.redisUrl)],
    ['HTTPS_PROXY', passwordIn(github.proxy?.url)],
  ]
  return named.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]))
}

/** A password that is the user's name is no secret, and may be a word that is everywhere. */
function passwordIn(url: string | undefined): string | undefined {
  const parsed = url === undefined ? undefined : URL.parse(url)
  if (!parsed || parsed.password === parsed.username) return undefined
  return decoded(parsed.password)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
