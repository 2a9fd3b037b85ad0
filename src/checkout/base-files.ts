import { StepFailed } from '../errors.ts'
import { GitFailed, runGit, textOf } from './git.ts'
import { patchCapBytes } from './patch.ts'

/** What has to be known about a base before a copy of it can be collected. */
export type BaseFiles = {
  /** Id of the base's tree. */
  tree: string
  /** Of all its files. */
  bytes: number
  /** Bytes of its largest file, and at least what a patch may have. */
  fileCapBytes: number
  /** Paths of its submodules, each ended by NUL. */
  submodules: Buffer
}
type Wanted = { gitDir: string; commit: string }

const kept = 16
/** Some two million files. Trees of a few hundred bytes can stand for more than any memory holds. */
const mostListed = 256 * 1024 * 1024

/**
 * Reads the files of a base; the answers for the latest bases are kept, because a commit never changes and looking up the
 * sizes of all its files costs a tenth of a copy. Copies asked for at the same moment share one look. Throws StepFailed `no_checkout`.
 */
export function createBaseReader(mostListedBytes = mostListed): (base: Wanted) => Promise<BaseFiles> {
  const known = new Map<string, Promise<BaseFiles>>()
  return async (base) => {
    const key = `${base.gitDir}\0${base.commit}`
    const answer = known.get(key) ?? readBase(base, mostListedBytes)
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

async function readBase({ gitDir, commit }: Wanted, maxBytes: number): Promise<BaseFiles> {
  const listing = createListing()
  const list = ['ls-tree', '-r', '-l', '-z', '--full-tree', commit]
  const [tree] = await Promise.all([
    runGit(['rev-parse', '--verify', `${commit}^{tree}`], { gitDir }).then(textOf),
    runGit(list, { gitDir, maxBytes, each: listing.take }).catch((error: unknown) => {
      if (!(error instanceof GitFailed) || error.exit !== 'output') throw error
      throw new StepFailed('no_checkout', 'the base has more files than can be checked out', { cause: error })
    }),
  ])
  return { tree, ...listing.all() }
}

/** What the lines of `ls-tree -l -z` come to, as they come: they are not kept. */
function createListing() {
  const files = { bytes: 0, fileCapBytes: patchCapBytes }
  const submodules: Buffer[] = []
  let begun: Buffer = Buffer.alloc(0)

  function take(line: Buffer): void {
    const tab = line.indexOf(9)
    const [mode, , , size] = line.toString('latin1', 0, tab).split(/ +/)
    // A copy, so that the chunk is not kept with it.
    if (mode === '160000') return void submodules.push(Buffer.from(line.subarray(tab + 1)))
    files.bytes += Number(size)
    files.fileCapBytes = Math.max(files.fileCapBytes, Number(size))
  }
  return {
    take(chunk: Buffer): void {
      const bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk])
      let start = 0
      for (let end = bytes.indexOf(0); end !== -1; end = bytes.indexOf(0, start)) {
        take(bytes.subarray(start, end + 1))
        start = end + 1
      }
      begun = Buffer.from(bytes.subarray(start))
    },
    all: () => ({ ...files, submodules: Buffer.concat(submodules) }),
  }
}
