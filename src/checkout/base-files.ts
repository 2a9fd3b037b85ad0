import { runGit, textOf } from './git.ts'
import { patchCapBytes } from './patch.ts'

/** What has to be known about a base before a copy of it can be collected. */
export type BaseFiles = {
  /** Id of the base's tree. */
  tree: string
  /** Bytes of its largest file, and at least what a patch may have. */
  fileCapBytes: number
  /** Paths of its submodules, each ended by NUL. */
  submodules: Buffer
}
type Wanted = { gitDir: string; commit: string }

const kept = 16

/**
 * Reads the files of a base; the answers for the latest bases are kept, because a commit never changes and looking up the
 * sizes of all its files costs a tenth of a copy. Copies asked for at the same moment share one look.
 */
export function createBaseReader(): (base: Wanted) => Promise<BaseFiles> {
  const known = new Map<string, Promise<BaseFiles>>()
  return async (base) => {
    const key = `${base.gitDir}\0${base.commit}`
    const answer = known.get(key) ?? readBase(base)
    known.delete(key)
    known.set(key, answer)
    for (const oldest of [...known.keys()].slice(0, -kept)) known.delete(oldest)
    try {
      return await answer
    } catch (error) {
      if (known.get(key) === answer) known.delete(key)
      throw error
    }
  }
}

async function readBase({ gitDir, commit }: Wanted): Promise<BaseFiles> {
  const [tree, { stdout }] = await Promise.all([
    runGit(['rev-parse', '--verify', `${commit}^{tree}`], { gitDir }).then(textOf),
    runGit(['ls-tree', '-r', '-l', '-z', '--full-tree', commit], { gitDir, maxBytes: 512 * 1024 * 1024 }),
  ])
  let fileCapBytes = patchCapBytes
  const submodules: Buffer[] = []
  for (let start = 0; start < stdout.length;) {
    const end = stdout.indexOf(0, start)
    const tab = stdout.indexOf(9, start)
    const [mode, , , size] = stdout.toString('latin1', start, tab).split(/ +/)
    if (mode === '160000') submodules.push(stdout.subarray(tab + 1, end + 1))
    else fileCapBytes = Math.max(fileCapBytes, Number(size))
    start = end + 1
  }
  // A copy, so that the list of all files is not kept with it.
  return { tree, fileCapBytes, submodules: Buffer.concat(submodules) }
}
