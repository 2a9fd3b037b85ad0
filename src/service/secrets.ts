import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { messageOf } from '../errors.ts'

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
