import type { Change } from './patch.ts'

export type RawPath = { oldMode: string; newMode: string; oldId: string; newId: string; letter: string; path: string }

const statuses: Record<string, Change['status']> = { A: 'added', M: 'modified', D: 'deleted', T: 'type_changed' }

/** The two parts of `diff-tree -z --raw --numstat`: a line of the first begins with a colon, and its path follows. */
export function splitChanges(both: Buffer): { raw: Buffer; numbers: Buffer } {
  let end = 0
  while (both[end] === colon) end = both.indexOf(0, both.indexOf(0, end) + 1) + 1
  return { raw: both.subarray(0, end), numbers: both.subarray(end) }
}
const colon = 0x3a

/** The lines of `diff-tree -r -z --raw --no-renames --no-abbrev`. Paths are bytes; one char a byte here. */
export function paths(raw: Buffer): RawPath[] {
  const fields = raw.toString('latin1').split('\0')
  const found: RawPath[] = []
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [oldMode = '', newMode = '', oldId = '', newId = '', letter = ''] = fields[index]!.slice(1).split(' ')
    found.push({ oldMode, newMode, oldId, newId, letter, path: fields[index + 1]! })
  }
  return found
}

/**
 * `raw` and `numbers` (`--numstat -z`) tell of the same paths; `sizes` is one line a path, in the order of `raw`
 * (anything but a number, as for a deleted file or a submodule, counts 0).
 */
export function parseChanges(told: { raw: Buffer; numbers: Buffer; sizes: readonly string[] }): Change[] {
  const counts = new Map(
    told.numbers
      .toString('latin1')
      .split('\0')
      .filter((line) => line !== '')
      .map((line): [string, [string, string]] => {
        const [added = '', removed = '', ...path] = line.split('\t')
        return [path.join('\t'), [added, removed]]
      }),
  )
  return paths(told.raw).map(({ oldMode, newMode, letter, path }, index) => {
    const [added, removed] = counts.get(path) ?? ['0', '0']
    return {
      path: Buffer.from(path, 'latin1').toString('utf8'),
      status: statuses[letter] ?? 'modified',
      oldMode,
      newMode,
      bytes: newMode === '000000' ? 0 : Number(/^\d+$/.exec(told.sizes[index] ?? '')?.[0] ?? 0),
      added: Number(added === '-' ? 0 : added),
      removed: Number(removed === '-' ? 0 : removed),
      binary: added === '-',
    }
  })
}
