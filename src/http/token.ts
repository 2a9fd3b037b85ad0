import { createHmac, randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'

/** The operator's token, made at the first start: 256 bits in a file only they can read. The caller holds the folder's lock. */
export async function ensureToken(path: string): Promise<string> {
  const known = await readToken(path)
  if (known !== undefined) return known
  const fresh = `${path}.${process.pid}`
  const token = randomBytes(32).toString('base64url')
  // Flushed before it has its name: a power cut leaves no empty token behind.
  await writeFile(fresh, token, { mode: 0o600, flush: true })
  await rename(fresh, path)
  return token
}

export async function readToken(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.trim() === '' ? undefined : text.trim()
}

/**
 * What only a holder of the token answers to a challenge, without saying the token. Never a valid session: those are
 * signed numbers.
 */
export function proofOf(token: string, challenge: string): string {
  return createHmac('sha256', token).update(`overnight health ${challenge}`).digest('base64url')
}
