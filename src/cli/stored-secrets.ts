import type { SecretJson } from '../http/secrets-api.ts'
import type { Asker, SecretSource } from '../secrets/secret-source.ts'
import { connectLive } from './client.ts'
import type { Context } from './context.ts'

/** What the live service has stored. Values stay there; without a service nothing is known. */
export async function storedSecrets(context: Context): Promise<SecretSource> {
  await using client = await connectLive(context)
  const { secrets } = (await client?.json<{ secrets: SecretJson[] }>('/v1/secrets')) ?? { secrets: [] }
  const isFor = ({ routine, repository }: SecretJson, asker: Asker) =>
    (routine === null || routine === asker.routine) &&
    (repository === null || repository.toLowerCase() === asker.repository?.toLowerCase())
  const find = (name: string, asker: Asker) => secrets.find((one) => one.name === name && isFor(one, asker))
  return {
    async find(name, asker) {
      const found = find(name, asker)
      return found && { value: '', hosts: found.hosts }
    },
  }
}
