import { existsSync } from 'node:fs'
import type { SecretJson } from '../http/api/secrets.ts'
import { closest, whyNone } from '../secrets/closest.ts'
import type { SecretSource } from '../secrets/secret-source.ts'
import { connectLive } from './client.ts'
import type { Context } from './context.ts'

/** undefined: nobody who could say answers. A folder without a ledger has none. */
export async function storedSecrets(context: Context): Promise<SecretJson[] | undefined> {
  await using client = await connectLive(context)
  if (client) return (await client.json<{ secrets: SecretJson[] }>('/v1/secrets')).secrets
  const { databaseUrl, paths } = context.config()
  return databaseUrl === undefined && !existsSync(paths.ledger) ? [] : undefined
}

/** Judges as the service does, of scopes and hosts: values stay there, so not whether the key opens them. */
export function sourceOf(stored: readonly SecretJson[]): SecretSource {
  return {
    async find(name, asker) {
      const rows = stored
        .filter((one) => one.name === name)
        .map(({ routine, repository, hosts }) => ({ routine: routine ?? '', repository: repository ?? '', hosts }))
      const found = closest(rows, asker)
      if (found) return { value: '', hosts: found.hosts }
      const missing = whyNone(rows)
      return missing === undefined ? undefined : { missing }
    },
  }
}
