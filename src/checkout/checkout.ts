import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf, StepFailed } from '../errors.ts'
import { removeFolder } from '../sandboxes/remove-folder.ts'
import type { Mount } from '../sandboxes/sandbox.ts'
import { borrow, createBare, objectFormatOf } from './bare.ts'
import { GitFailed, identity, runGit, textOf } from './git.ts'
import type { Base, Mirror } from './mirror.ts'
import { patchCapBytes } from './patch.ts'

const Checkout = z.strictObject({
  /** The agent's copy: its own `.git`, on a branch named as the base, and the work tree. */
  tree: z.string(),
  /** The git folder that the collector reads the tree with; made before the agent started and never visible to it. */
  gitDir: z.string(),
  /** The mirror's objects, which both borrow. */
  objects: z.string(),
  base: z.strictObject({ branch: z.string(), commit: z.string(), tree: z.string() }),
  /** No file of the base is larger: a larger one is a change, and too large to keep. */
  fileCapBytes: z.number().int(),
})
export type Checkout = z.infer<typeof Checkout>
export type CheckoutRequest = { mirror: Mirror; base: Base; folder: string; signal: AbortSignal | undefined }

const marker = 'checkout.json'

/** Makes the private copy in `folder`, removing whatever an earlier try left there. Throws StepFailed `no_checkout`, `disk_full`. */
export async function createCheckout({ mirror, base, folder, signal }: CheckoutRequest): Promise<Checkout> {
  try {
    await removeFolder(folder)
    const tree = join(folder, 'tree')
    const gitDir = join(folder, 'collect')
    await mkdir(tree, { recursive: true })
    const [{ fileCapBytes, submodules }, baseTree] = await Promise.all([
      readBase(mirror.gitDir, base.commit),
      runGit(['rev-parse', '--verify', `${base.commit}^{tree}`], { gitDir: mirror.gitDir }).then(textOf),
      makeCopy({ mirror, base, tree, signal }),
    ])
    await makeCollector({ mirror, base, tree, gitDir, submodules })
    const objects = join(mirror.gitDir, 'objects')
    const checkout = { tree, gitDir, objects, base: { ...base, tree: baseTree }, fileCapBytes }
    await writeFile(join(folder, `${marker}.new`), JSON.stringify(checkout))
    await rename(join(folder, `${marker}.new`), join(folder, marker))
    return checkout
  } catch (error) {
    throw explainLocal(error)
  }
}

/** The checkout a killed service left in `folder`; undefined when there is none, or it was never finished. */
export async function findCheckout(folder: string): Promise<Checkout | undefined> {
  const text = await readFile(join(folder, marker), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : Checkout.parse(JSON.parse(text))
}

/** What is visible in the agent's sandbox, and what in the collector's. */
export function mountsFor({ tree, gitDir, objects }: Checkout): { agent: Mount[]; collector: Mount[] } {
  const shared = [
    { path: tree, write: true },
    { path: objects, write: false },
  ]
  return { agent: shared, collector: [...shared, { path: gitDir, write: true }] }
}

type Copy = { mirror: Mirror; base: Base; tree: string; signal: AbortSignal | undefined }

async function makeCopy({ mirror, base, tree, signal }: Copy): Promise<void> {
  const format = `--object-format=${objectFormatOf(base.commit)}`
  await runGit(['init', '--quiet', '--template=', format, `--initial-branch=${base.branch}`, tree])
  const own = join(tree, '.git')
  await borrow(own, mirror.gitDir)
  // With an identity of its own, an agent that commits does not stop to ask for one.
  await appendFile(
    join(own, 'config'),
    `[user]\n\tname = ${identity.name}\n\temail = ${identity.email}\n[gc]\n\tauto = 0\n`,
  )
  await runGit(['update-ref', '--no-deref', `refs/heads/${base.branch}`, base.commit], { gitDir: own })
  await runGit(['read-tree', '--reset', '-u', base.commit], { cwd: tree, signal })
}

/** One pass over the base: the size of its largest file, and the paths of its submodules. */
async function readBase(gitDir: string, commit: string): Promise<{ fileCapBytes: number; submodules: Buffer }> {
  const { stdout } = await runGit(['ls-tree', '-r', '-l', '-z', '--full-tree', commit], {
    gitDir,
    maxBytes: 512 * 1024 * 1024,
  })
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
  return { fileCapBytes, submodules: Buffer.concat(submodules) }
}

type Collector = { mirror: Mirror; base: Base; tree: string; gitDir: string; submodules: Buffer }

async function makeCollector({ mirror, base, tree, gitDir, submodules }: Collector): Promise<void> {
  await createBare({ gitDir, borrowFrom: mirror.gitDir, objectFormat: objectFormatOf(base.commit) })
  await runGit(['config', 'core.bare', 'false'], { gitDir })
  const env = { GIT_INDEX_FILE: join(gitDir, 'base-index'), GIT_WORK_TREE: tree }
  await runGit(['read-tree', base.commit], { gitDir, env })
  if (submodules.length === 0) return
  // Submodules are not checked out; what the agent puts in their place is not looked at, because git would run git inside it.
  await runGit(['update-index', '--skip-worktree', '-z', '--stdin'], { gitDir, env, cwd: tree, input: submodules })
}

function explainLocal(error: unknown): unknown {
  const text = error instanceof GitFailed ? error.stderr : messageOf(error)
  if (/No space left on device|ENOSPC/.test(text)) {
    return new StepFailed('disk_full', 'no space left for the checkout', { retryable: true, cause: error })
  }
  if (!(error instanceof GitFailed)) return error
  return new StepFailed('no_checkout', `the checkout could not be made: ${error.lastLine}`, { cause: error })
}
