import type { Redaction } from './redaction.ts'
import { nobody, type Asker, type Found, type HostList, type Secret, type SecretSource } from './secret-source.ts'

type SecretOf = (name: string, asker?: Asker) => Promise<Secret>
export type Secrets = {
  secretOf: SecretOf
  /** The only hosts a secret may be sent to; none when nobody lists any. */
  hostsOf(name: string, secret: Pick<Found, 'hosts'>): Promise<readonly string[]>
}
type Around = Partial<Pick<Redaction, 'learn'>> & { lists?: readonly HostList[]; advice(name: string): string }

/** Secrets from the first of the sources that knows the name; `learn` hears of each value that is given out. `advice` names the places. */
export function createSecrets(sources: readonly SecretSource[], { learn, lists = [], advice }: Around): Secrets {
  return {
    async secretOf(name, asker = nobody) {
      for (const source of sources) {
        const found = await source.find(name, asker)
        if (found === undefined) continue
        if ('value' in found) learn?.({ name, value: found.value })
        return found
      }
      return { missing: advice(name) }
    },
    // Of the very value that was found: hosts that somebody stored with a value of theirs say nothing of another one.
    async hostsOf(name, { hosts }) {
      if (hosts !== undefined) return hosts
      for (const list of lists) {
        const listed = await list.hostsOf(name)
        if (listed !== undefined) return listed
      }
      return []
    },
  }
}
