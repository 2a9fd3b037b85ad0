import type { Ledger } from '../ledger/ledger.ts'
import { messageOf } from '../errors.ts'
import { closest, whyNone } from './closest.ts'
import type { KnownSecret } from './finder.ts'
import type { Bound, Seal } from './seal.ts'
import type { Asker, Secret, SecretSource } from './secret-source.ts'

export type SecretStore = SecretSource & {
  /** The value as the ledger may have it. */
  seal(value: string, bound: Bound): Promise<Buffer>
  /** What can be opened, for those who must not let it out. */
  known(): Promise<KnownSecret[]>
}

/** Secrets in the ledger, sealed. The key is asked for at first need and is never in the ledger. */
export function createSecretStore(tools: { sealed: Ledger['sealed']; seal(): Promise<Seal> }): SecretStore {
  const { sealed } = tools

  async function find(name: string, asker: Asker): Promise<Secret | undefined> {
    const rows = await sealed.called(name)
    const row = closest(rows, asker)
    if (row) {
      const value = (await tools.seal()).open(row.sealed, row)
      const missing = `it was stored with another key: correct OVERNIGHT_SECRETS_KEY, or store it again: overnight secret set ${name}`
      return value === undefined ? { missing } : { value, hosts: row.hosts }
    }
    const missing = whyNone(rows)
    return missing === undefined ? undefined : { missing }
  }

  return {
    find: (name, asker) => find(name, asker).catch((error: unknown) => ({ missing: messageOf(error) })),
    seal: async (value, bound) => (await tools.seal()).seal(value, bound),
    async known() {
      const rows = await sealed.all()
      if (rows.length === 0) return []
      const { open } = await tools.seal()
      return rows.flatMap((row) => {
        const value = open(row.sealed, row)
        return value === undefined ? [] : [{ name: row.name, value }]
      })
    },
  }
}
