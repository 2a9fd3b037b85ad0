import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { messageOf } from '../errors.ts'
import { isListed } from '../outgoing/address.ts'

/** What `secret:NAME` stands for; `missing` says why it is not there, and what to do. */
type Secret = { value: string } | { missing: string }
export type SecretOf = (name: string) => Promise<Secret>

const mostBytes = 64 * 1024

/**
 * Secrets of the operator: a variable, else a file that only the operator can read. Looked at each time, so that a file that is
 * replaced counts at once. Names are letters, digits and _ (the readers of files see to that).
 */
export function createSecrets({ secrets, paths }: Pick<Config, 'secrets' | 'paths'>): SecretOf {
  return async (name) => {
    const given = Object.hasOwn(secrets, name) ? secrets[name] : undefined
    if (given !== undefined && given !== '') return { value: given }
    return readFile(join(paths.secrets, name), name)
  }
}

/** The secret for an address, or why it stays here. */
export type SentSecretOf = (name: string, url: string) => Promise<{ value: string } | { message: string; hint: string }>

/**
 * Secrets that go out: each only to the hosts that are listed for it. Who asks is a file that may come from a repository, and
 * whoever may push to that must not be able to have every secret sent to a host of their own.
 */
export function createSentSecrets(config: Pick<Config, 'secrets' | 'paths'>): SentSecretOf {
  const { secrets, paths } = config
  const secretOf = createSecrets(config)
  async function hostsOf(name: string): Promise<string[]> {
    const variable = `${name}_HOSTS`
    const given = Object.hasOwn(secrets, variable) ? secrets[variable] : undefined
    const found = given ? { value: given } : await readFile(join(paths.secrets, `${name}.hosts`), name)
    return 'value' in found ? found.value.toLowerCase().split(/[\s,]+/) : []
  }
  return async (name, written) => {
    const secret = await secretOf(name)
    if ('missing' in secret) return { message: `secret:${name} is not there`, hint: secret.missing }
    const url = new URL(written)
    if (isListed(url, await hostsOf(name))) return secret
    const places = `OVERNIGHT_SECRET_${name}_HOSTS, or in the file ${join(paths.secrets, name)}.hosts (mode 600)`
    return { message: `secret:${name} is not sent to ${url.host}`, hint: `list ${url.host} in ${places}` }
  }
}

async function readFile(path: string, name: string): Promise<Secret> {
  try {
    await using file = await open(path)
    const seen = await file.stat()
    if (!seen.isFile() || seen.size > mostBytes) return { missing: `${path} is no file with a secret` }
    if ((seen.mode & 0o077) !== 0) return { missing: `others may read ${path}: chmod 600 it` }
    const value = (await file.readFile('utf8')).replace(/\r?\n$/, '')
    return value === '' ? { missing: `${path} is empty` } : { value }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return { missing: messageOf(error) }
    return { missing: `set OVERNIGHT_SECRET_${name}, or write it to ${path} (mode 600)` }
  }
}
