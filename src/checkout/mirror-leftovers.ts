import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** No fetch takes so long: what is older was left by a process that was killed. */
const abandonedMs = 6 * 3_600_000

/** Removes half-made mirrors and half-fetched packs that killed processes left below `root`; others may fetch meanwhile. */
export async function sweepMirrors(root: string, nowMs = Date.now()): Promise<string[]> {
  const isOld = async (path: string) =>
    stat(path).then(
      (found) => nowMs - found.mtimeMs > abandonedMs,
      () => false,
    )
  const removed: string[] = []
  for (const name of await namesIn(root)) {
    const isHalfMade = /\.git\.[0-9a-f-]{36}$/.test(name)
    const packs = join(root, name, 'objects', 'pack')
    const halfFetched = (await namesIn(packs))
      .filter((file) => file.startsWith('tmp_'))
      .map((file) => join(packs, file))
    for (const path of isHalfMade ? [join(root, name)] : halfFetched) {
      if (!(await isOld(path))) continue
      await rm(path, { recursive: true, force: true })
      removed.push(path)
    }
  }
  return removed
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])
