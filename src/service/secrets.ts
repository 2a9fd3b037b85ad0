import { join } from 'node:path'
import type { Config } from '../config.ts'
import { isListed } from '../outgoing/address.ts'
import { createCommandSource } from '../secrets/command.ts'
import { createEnvironmentSource } from '../secrets/environment.ts'
import { createFilesSource } from '../secrets/files.ts'
import { createSecrets, type Secrets } from '../secrets/index.ts'
import type { Redaction } from '../secrets/redaction.ts'
import type { Asker, SecretSource } from '../secrets/secret-source.ts'

type Places = Pick<Config, 'secrets' | 'paths' | 'secretCommand' | 'operator'>
type Around = Partial<Pick<Redaction, 'learn'>> & { store?: SecretSource }

/** Secrets of the operator: a variable, else a file, else what is stored in the ledger, else what their command says. */
export function openSecrets(
  { secrets, paths, secretCommand, operator }: Places,
  { store, ...rest }: Around = {},
): Secrets {
  const env = { PATH: operator.path, HOME: operator.home }
  const own = [createEnvironmentSource(secrets), createFilesSource(paths.secrets)]
  const sources: SecretSource[] = [
    ...own,
    ...(store ? [store] : []),
    ...(secretCommand ? [createCommandSource({ argv: secretCommand, env })] : []),
  ]
  const advice = (name: string) =>
    `set OVERNIGHT_SECRET_${name}, or write it to ${join(paths.secrets, name)} (mode 600), or store it: overnight secret set ${name}`
  return createSecrets(sources, { ...rest, lists: own, advice })
}

/** The secret for an address, or why it stays here. */
export type SentSecretOf = (
  name: string,
  url: string,
  asker?: Asker,
) => Promise<{ value: string } | { message: string; hint: string }>

/**
 * Secrets that go out: each only to the hosts that are listed for it. Who asks is a file that may come from a repository, and
 * whoever may push to that must not be able to have every secret sent to a host of their own.
 */
export function createSentSecrets({ secretOf, hostsOf }: Secrets, { paths }: Pick<Config, 'paths'>): SentSecretOf {
  return async (name, written, asker) => {
    const secret = await secretOf(name, asker)
    if ('missing' in secret) return { message: `secret:${name} is not there`, hint: secret.missing }
    const url = new URL(written)
    if (isListed(url, await hostsOf(name, secret))) return { value: secret.value }
    const places = `OVERNIGHT_SECRET_${name}_HOSTS, or in the file ${join(paths.secrets, name)}.hosts (mode 600)`
    const hint = secret.hosts
      ? `store it again with its hosts: overnight secret set ${name} --hosts ${url.host}`
      : `list ${url.host} in ${places}`
    return { message: `secret:${name} is not sent to ${url.host}`, hint }
  }
}
