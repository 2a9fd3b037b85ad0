import { randomBytes } from 'node:crypto'
import { chmod, link, readFile, rm, writeFile } from 'node:fs/promises'

/** The operator's token, made at the first start: 256 bits in a file only they can read. */
export async function ensureToken(path: string): Promise<string> {
  const known = await readToken(path)
  if (known !== undefined) return known
  const fresh = `${path}.${process.pid}`
  await writeFile(fresh, randomBytes(32).toString('base64url'), { mode: 0o600 })
  // A link, not a rename: of two that start at once the first one's token stays.
  await link(fresh, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(fresh)
  await chmod(path, 0o600)
  return (await readToken(path))!
}

export async function readToken(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.trim() === '' ? undefined : text.trim()
}
