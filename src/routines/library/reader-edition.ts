import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const src = resolve(import.meta.dirname, '../..')

/** Everything of ours that reading a routine's text runs through, and the versions of what is not ours. */
export const readBy = ['routines', 'triggers/schedule', 'errors.ts', 'host-name.ts', '../package.json']

/** The same only for programs that read a text alike: a number that people count up would be forgotten once. */
export async function readerEdition(options: readonly unknown[]): Promise<string> {
  const { node, icu, tz } = process.versions
  const hash = createHash('sha256').update(JSON.stringify([options, node, icu, tz]))
  for (const place of readBy) {
    const files = /\.\w+$/.test(place) ? [place] : await filesIn(place)
    for (const file of files) hash.update(`\n${file}\n`).update(await readFile(join(src, file)))
  }
  return hash.digest('hex')
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(join(src, folder), { recursive: true })
  return entries
    .filter((entry) => entry.endsWith('.ts'))
    .sort()
    .map((entry) => join(folder, entry))
}
