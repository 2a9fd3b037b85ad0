import { GitFailed, runGit } from './git.ts'

/** What stands directly in a folder of a commit. */
export type TreeEntry = { entry: string; kind: 'file' | 'link' | 'other'; id: string; bytes: number }

/** Git answers with as much at a time. */
const batchBytes = 16 * 1024 * 1024

/** undefined: the commit has no such folder. Reads objects alone: nothing is checked out, no hook, filter or attribute counts. */
export async function listFolder(gitDir: string, commit: string, folder: string): Promise<TreeEntry[] | undefined> {
  try {
    const listed = await runGit(['ls-tree', '-z', '-l', `${commit}:${folder}`], { gitDir, bounded: true })
    const lines = listed.stdout.toString('utf8').split('\0')
    return lines.flatMap(entryOf)
  } catch (error) {
    if (error instanceof GitFailed && /Not a valid object name|not a tree object/.test(error.stderr)) return undefined
    throw error
  }
}

const kinds: Record<string, TreeEntry['kind']> = { '100644': 'file', '100755': 'file', '120000': 'link' }

function entryOf(line: string): TreeEntry[] {
  const found = /^(\d{6}) \w+ ([0-9a-f]+) +(\d+|-)\t(.+)$/s.exec(line)
  if (!found) return []
  const [, mode = '', id = '', bytes = '', entry = ''] = found
  return [{ entry, kind: kinds[mode] ?? 'other', id, bytes: Number(bytes) || 0 }]
}

type Blob = Pick<TreeEntry, 'id' | 'bytes'>

/** The bytes of blobs by their id. */
export async function readBlobs(gitDir: string, wanted: readonly Blob[]): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for (const batch of inBatches(wanted)) {
    const input = batch.map(({ id }) => `${id}\n`).join('')
    const maxBytes = 2 * batchBytes + 1024 * batch.length
    const { stdout } = await runGit(['cat-file', '--batch'], { gitDir, input, maxBytes, bounded: true })
    for (let at = 0; at < stdout.length;) {
      const lineEnd = stdout.indexOf(10, at)
      const [id = '', , size = ''] = stdout.toString('latin1', at, lineEnd).split(' ')
      const end = lineEnd + 1 + Number(size)
      found.set(id, stdout.subarray(lineEnd + 1, end))
      at = end + 1
    }
  }
  return found
}

function inBatches(blobs: readonly Blob[]): Blob[][] {
  const batches: Blob[][] = []
  let bytes = Infinity
  for (const blob of blobs) {
    if (bytes + blob.bytes > batchBytes) {
      batches.push([])
      bytes = 0
    }
    batches.at(-1)!.push(blob)
    bytes += blob.bytes
  }
  return batches
}
