import type { Redaction } from './redaction.ts'
import { nobody, type Asker, type Secret, type SecretSource } from './secret-source.ts'

type SecretOf = (name: string, asker?: Asker) => Promise<Secret>
export type Secrets = {
  secretOf: SecretOf
  /** Hosts the secret may be sent to; none when nobody lists any. */
  hostsOf(name: string, asker?: Asker): Promise<string[]>
}

/** Secrets from the first of the sources that knows the name; `learn` hears of each value that is given out. `advice` names the places. */
export function createSecrets(
  sources: readonly SecretSource[],
  { learn, advice }: Partial<Pick<Redaction, 'learn'>> & { advice(name: string): string },
): Secrets {
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
    async hostsOf(name, asker = nobody) {
      for (const source of sources) {
        const found = await source.hostsOf(name, asker)
        if (found !== undefined) return found
      }
      return []
    },
  }
}
