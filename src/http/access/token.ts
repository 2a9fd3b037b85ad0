import { createHmac, randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'

/** 256 bits, as the operator's token has them. */
const newToken = () => randomBytes(32).toString('base64url')

/** A secret in a file only the operator can read, made at first need. Processes that need it at once agree on one. */
export async function ensureToken(path: string, make = newToken): Promise<string> {
  const known = await readToken(path)
  if (known !== undefined) return known
  const token = make()
  const fresh = `${path}.${randomBytes(4).toString('hex')}`
  // Flushed before it has its name: a power cut leaves no empty token behind.
  await writeFile(fresh, token, { mode: 0o600, flush: true })
  try {
    await link(fresh, path)
    return token
  } catch (error) {
    const others = await readToken(path)
    if (others !== undefined) return others
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    // A power cut left an empty one.
    await rename(fresh, path)
    return token
  } finally {
    await rm(fresh, { force: true })
  }
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
