import { appendFile, copyFile, mkdir, readFile, rename, statfs, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf, StepFailed } from '../errors.ts'
import { removeFolder } from '../sandboxes/remove-folder.ts'
import type { Mount } from '../sandboxes/sandbox.ts'
import { createBaseReader } from './base-files.ts'
import { borrow, createEmpty, objectFormatOf } from './bare.ts'
import { GitFailed, identity, runGit } from './git.ts'
import type { Base, Mirror } from './mirror.ts'
import type { PullCopy } from './pull-copy.ts'

const Checkout = z.strictObject({
  /** The agent's copy: its own `.git`, on a branch named as the base, and the work tree. */
  tree: z.string(),
  /** The git folder that the collector reads the tree with; made before the agent started and never visible to it. */
  gitDir: z.string(),
  /** The mirror's objects, which both borrow. */
  objects: z.string(),
  base: z.strictObject({ branch: z.string(), commit: z.string(), tree: z.string() }),
  /** Of a pull request: its own repository, and what it stands at; the base has the agent configuration of another branch. */
  pull: z.strictObject({ gitDir: z.string(), commit: z.string(), tree: z.string() }).optional(),
  /** No file of the base is larger: a larger one is a change, and too large to keep. */
  fileCapBytes: z.number().int(),
})
export type Checkout = z.infer<typeof Checkout>
export type CheckoutRequest = {
  mirror: Pick<Mirror, 'gitDir'>
  base: Base
  /** What the base is a commit of, where the mirror does not have it, and what it is to be merged into. */
  pull?: Pick<PullCopy, 'gitDir' | 'head'> & { into: Base }
  folder: string
  signal: AbortSignal | undefined
}

/** What `git fetch origin` asks for in a checkout; where the run has a way out, its environment leads from this to the mirror. */
export const originUrl = 'overnight://repository'
const originSection = `[remote "origin"]\n\turl = ${originUrl}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`

const marker = 'checkout.json'
/** In the collector's git folder; its script begins with a copy of it. */
const baseIndex = 'base-index'

/**
 * The answer makes a private copy in `folder`, removing whatever an earlier try left there, and throws StepFailed `no_checkout`,
 * `disk_full`. `cores` are shared by the copies made at the same time.
 */
export function createCopies({
  cores = availableParallelism(),
  mostListedBytes,
}: { cores?: number; mostListedBytes?: number } = {}): (request: CheckoutRequest) => Promise<Checkout> {
  const readBase = createBaseReader(mostListedBytes)
  let atWork = 0
  return async (request) => {
    atWork += 1
    try {
      return await createCheckout(request, { readBase, workers: () => Math.max(1, Math.floor(cores / atWork)) })
    } catch (error) {
      throw explainLocal(error)
    } finally {
      atWork -= 1
    }
  }
}

type Means = { readBase: ReturnType<typeof createBaseReader>; workers: () => number }

async function createCheckout(request: CheckoutRequest, { readBase, workers }: Means): Promise<Checkout> {
  const { mirror, base, pull, folder, signal } = request
  await removeFolder(folder)
  const tree = join(folder, 'tree')
  const gitDir = join(folder, 'collect')
  await mkdir(tree, { recursive: true })
  const source = pull?.gitDir ?? mirror.gitDir
  const copy = { source, base, into: pull?.into, tree, gitDir }
  // Before git reads them all into its memory and onto the disk.
  const known = await readBase({ gitDir: source, commit: base.commit })
  await requireRoom(folder, known.bytes)
  await ended([makeCollector(copy), makeRepository(copy)])
  // The trees of the base are read once for both. The collector's index stays without inodes and times, which are the
  // agent's to set: the price is that collecting reads every file.
  await copyFile(join(gitDir, baseIndex), join(tree, '.git', 'index'))
  await ended([writeFiles({ tree, workers: workers(), signal }), overlookSubmodules(copy, known.submodules)])
  const { tree: baseTree, fileCapBytes } = known
  const objects = join(mirror.gitDir, 'objects')
  const own = pull && { pull: { gitDir: pull.gitDir, ...pull.head } }
  const checkout = { tree, gitDir, objects, base: { ...base, tree: baseTree }, ...own, fileCapBytes }
  await writeFile(join(folder, `${marker}.new`), JSON.stringify(checkout))
  await rename(join(folder, `${marker}.new`), join(folder, marker))
  return checkout
}

/** What the ledger of the same disk would lack. */
async function requireRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bytes <= bavail * bsize) return
  const gigabytes = (count: number) => `${(count / 1024 ** 3).toFixed(1)} GiB`
  const message = `the files of the base take ${gigabytes(bytes)}, and the disk has ${gigabytes(bavail * bsize)}`
  throw new StepFailed('disk_full', message, { retryable: true })
}

/** Rejects as the first that does, but when all have ended: nothing writes into a folder that is given up. */
async function ended(acts: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(acts)
  await Promise.all(acts)
}

/** The checkout a killed service left in `folder`; undefined when there is none, or it was never finished. */
export async function findCheckout(folder: string): Promise<Checkout | undefined> {
  const text = await readFile(join(folder, marker), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : Checkout.parse(JSON.parse(text))
}

/** What is visible in the agent's sandbox, and what in the collector's. */
export function mountsFor({ tree, gitDir, objects, pull }: Checkout): { agent: Mount[]; collector: Mount[] } {
  const borrowed = pull ? [objects, join(pull.gitDir, 'objects')] : [objects]
  const shared = [{ path: tree, write: true }, ...borrowed.map((path) => ({ path, write: false }))]
  return { agent: shared, collector: [...shared, { path: gitDir, write: true }] }
}

/** `source` has the objects; `into` is what the agent may compare its base with. */
type Copy = { source: string; base: Base; into: Base | undefined; tree: string; gitDir: string }

async function makeRepository({ source, base, into, tree }: Copy): Promise<void> {
  const own = join(tree, '.git')
  await createEmpty({ gitDir: own, objectFormat: objectFormatOf(base.commit), branch: base.branch, bare: false })
  await borrow(own, source)
  // With an identity of its own, an agent that commits does not stop to ask for one.
  await appendFile(
    join(own, 'config'),
    `[user]\n\tname = ${identity.name}\n\temail = ${identity.email}\n[gc]\n\tauto = 0\n${originSection}`,
  )
  await runGit(['update-ref', '--no-deref', `refs/heads/${base.branch}`, base.commit], { gitDir: own })
  if (into === undefined) return
  const remote = `refs/remotes/origin/${into.branch}`
  await runGit(['update-ref', remote, into.commit], { gitDir: own })
  await runGit(['symbolic-ref', 'refs/remotes/origin/HEAD', remote], { gitDir: own })
}

async function makeCollector({ source, base, tree, gitDir }: Copy): Promise<void> {
  await createEmpty({ gitDir, objectFormat: objectFormatOf(base.commit), branch: base.branch, bare: false })
  await borrow(gitDir, source)
  await runGit(['read-tree', base.commit], { gitDir, env: collectorOf({ tree, gitDir }) })
}

/** Submodules are not checked out; what the agent puts in their place is not looked at, because git would run git inside it. */
async function overlookSubmodules({ tree, gitDir }: Copy, submodules: Buffer): Promise<void> {
  if (submodules.length === 0) return
  const env = collectorOf({ tree, gitDir })
  await runGit(['update-index', '--skip-worktree', '-z', '--stdin'], { gitDir, env, cwd: tree, input: submodules })
}

function collectorOf({ tree, gitDir }: Pick<Copy, 'tree' | 'gitDir'>): Record<string, string> {
  return { GIT_INDEX_FILE: join(gitDir, baseIndex), GIT_WORK_TREE: tree }
}

type Writing = { tree: string; workers: number; signal: AbortSignal | undefined }

/** Every file of the index. More workers than cores would make ten copies at once slower than one after another. */
async function writeFiles({ tree, workers, signal }: Writing): Promise<void> {
  const write = ['checkout-index', '--all', '--force', '--index']
  await runGit(['-c', `checkout.workers=${workers}`, ...write], { cwd: tree, signal })
}

function explainLocal(error: unknown): unknown {
  const text = error instanceof GitFailed ? error.stderr : messageOf(error)
  if (/No space left on device|ENOSPC/.test(text)) {
    return new StepFailed('disk_full', 'no space left for the checkout', { retryable: true, cause: error })
  }
  if (!(error instanceof GitFailed)) return error
  return new StepFailed('no_checkout', `the checkout could not be made: ${error.lastLine}`, { cause: error })
}
