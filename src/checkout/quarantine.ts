import { appendFile, mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StepFailed } from '../errors.ts'
import { createBare, objectFormatOf } from './bare.ts'
import { parseChanges, paths, splitChanges } from './changes.ts'
import { type Git, GitFailed, identity, runGit, textOf } from './git.ts'
import { requireListable } from './listable.ts'
import type { Mirror } from './mirror.ts'
import { type Change, type Patch, patchCapBytes } from './patch.ts'

type NewCommit = { parent: string; message: string; date: Date }
/** `trailers` are the values of `Overnight-Run:`. */
export type CommitFacts = { tree: string; parents: string[]; committerEmail: string; trailers: string[] }
export type Quarantine = AsyncDisposable & {
  /** A bare repository of ours that holds the patch's objects and borrows the mirror's. */
  gitDir: string
  base: string
  tree: string
  changes(): Promise<Change[]>
  /** The diff without context, binary files as text, in the order of `changes`, as it comes; at most so many bytes. */
  readAdded(each: (chunk: Buffer) => void, maxBytes: number): Promise<{ cut: boolean }>
  /** A unified diff for people, at most `maxBytes`, then cut at a line. */
  diff(maxBytes: number): Promise<{ text: string; cut: boolean }>
  /** The patch's tree as a commit; the same values give the same id. */
  commit(commit: NewCommit): Promise<string>
  /** A commit of the repository, fetched when it is new; undefined when the repository does not have it on a branch. */
  findCommit(id: string): Promise<CommitFacts | undefined>
  isAncestor(ancestor: string, descendant: string): Promise<boolean>
}
export type QuarantineRequest = {
  mirror: Pick<Mirror, 'gitDir' | 'refresh'>
  patch: Pick<Patch, 'base' | 'tree' | 'pack'>
  folder: string
  signal: AbortSignal | undefined
}

/** Large files are shown as binary, and a mirror of any size is read through small windows: bounded memory for hostile objects. */
const modestSettings =
  '[core]\n\tbigFileThreshold = 16m\n\tpackedGitWindowSize = 32m\n\tpackedGitLimit = 256m\n[pack]\n\tthreads = 1\n'

const addedShape = ['-p', '-r', '-U0', '-a', '--no-renames', '--no-ext-diff', '--no-textconv', '--no-color']

/** Unpacks the patch and checks every object of it. Throws StepFailed `patch_invalid`, `too_large`, `disk_full`. */
export async function openQuarantine({ mirror, patch, folder, signal }: QuarantineRequest): Promise<Quarantine> {
  const git: Git = (args, options) => runGit(args, { gitDir: folder, bounded: true, signal, ...options })
  try {
    await remove(folder)
    await mkdir(dirname(folder), { recursive: true })
    await createBare({ gitDir: folder, borrowFrom: mirror.gitDir, objectFormat: objectFormatOf(patch.base) })
    await appendFile(join(folder, 'config'), modestSettings)
    await unpack({ git, mirror, patch })
  } catch (error) {
    await remove(folder)
    throw explainPatch(error)
  }
  return {
    gitDir: folder,
    base: patch.base,
    tree: patch.tree,
    changes: () => readChanges(git, patch).catch(rethrow),
    readAdded: (each, maxBytes) =>
      git(['diff-tree', ...addedShape, patch.base, patch.tree], { each, maxBytes, cut: true }).catch(rethrow),
    diff: (maxBytes) => readDiff({ git, from: patch.base, to: patch.tree, maxBytes }).catch(rethrow),
    commit: (commit) => writeCommit(git, { ...commit, tree: patch.tree }),
    async findCommit(id) {
      const known = await readCommit(git, id)
      if (known) return known
      await mirror.refresh(signal)
      return readCommit(git, id)
    },
    isAncestor: async (ancestor, descendant) =>
      (await git(['merge-base', '--is-ancestor', ancestor, descendant], { codes: [0, 1] })).code === 0,
    [Symbol.asyncDispose]: () => remove(folder),
  }
}

/** A handful of files, all of them git's. */
const remove = (folder: string) => rm(folder, { recursive: true, force: true })

async function unpack({
  git,
  mirror,
  patch,
}: {
  git: Git
  mirror: QuarantineRequest['mirror']
  patch: QuarantineRequest['patch']
}): Promise<void> {
  const id = /^[0-9a-f]{40}([0-9a-f]{24})?$/
  if (!id.test(patch.base) || !id.test(patch.tree)) throw new StepFailed('patch_invalid', 'the patch has no proper ids')
  // Asked of the mirror: a base that came with the pack would be the agent's own.
  const base = await runGit(['cat-file', '-t', patch.base], { gitDir: mirror.gitDir, codes: [0, 128] })
  if (textOf(base) !== 'commit')
    throw new StepFailed('patch_invalid', 'the base of the patch is no commit of the repository')
  if (patch.pack.length > 0) {
    const limit = `--max-input-size=${patchCapBytes}`
    await git(['index-pack', '--strict', '--fix-thin', '--stdin', limit], { input: patch.pack })
  }
  const tree = await git(['cat-file', '-t', patch.tree], { codes: [0, 128] })
  if (textOf(tree) !== 'tree') throw new StepFailed('patch_invalid', 'the patch does not hold the tree that it names')
  await requireListable(git, patch)
}

async function readChanges(git: Git, { base, tree }: Pick<Patch, 'base' | 'tree'>): Promise<Change[]> {
  const between = ['diff-tree', '-r', '-z', '--no-renames', '--no-ext-diff', '--no-textconv']
  const { stdout } = await git([...between, '--raw', '--no-abbrev', '--numstat', base, tree])
  const told = splitChanges(stdout)
  const ids = paths(told.raw).map(({ newId }) => newId)
  const sizes = await git(['cat-file', '--batch-check=%(objectsize)'], {
    input: ids.map((newId) => `${newId}\n`).join(''),
  })
  return parseChanges({ ...told, sizes: textOf(sizes).split('\n') })
}

/** A diff as git prints it, without running anything that attributes or settings name; cut at a line when longer than `maxBytes`. */
export async function readDiff(request: {
  git: Git
  from: string
  to: string
  maxBytes: number
}): Promise<{ text: string; cut: boolean }> {
  const { git, from, to, maxBytes } = request
  const shape = [
    '--patch',
    '-r',
    '-M',
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
    '--src-prefix=a/',
    '--dst-prefix=b/',
  ]
  const answer = await git(['diff-tree', ...shape, from, to], { maxBytes, cut: true })
  const whole = answer.cut ? answer.stdout.subarray(0, answer.stdout.lastIndexOf(10) + 1) : answer.stdout
  return { text: whole.toString('utf8'), cut: answer.cut }
}

async function writeCommit(git: Git, { tree, parent, message, date }: NewCommit & { tree: string }): Promise<string> {
  const at = `@${Math.floor(date.getTime() / 1000)} +0000`
  const env = {
    GIT_AUTHOR_DATE: at,
    GIT_COMMITTER_DATE: at,
    GIT_AUTHOR_NAME: identity.name,
    GIT_COMMITTER_NAME: identity.name,
  }
  return textOf(await git(['commit-tree', tree, '-p', parent], { env, input: message }))
}

async function readCommit(git: Git, id: string): Promise<CommitFacts | undefined> {
  const format = '--format=%T%x00%P%x00%ce%x00%(trailers:key=Overnight-Run,valueonly,separator=%x20)'
  const answer = await git(['log', '-1', '--no-show-signature', '--no-decorate', format, id], { codes: [0, 128] })
  if (answer.code !== 0) return undefined
  const [tree = '', parents = '', committerEmail = '', trailers = ''] = textOf(answer).split('\0')
  return {
    tree,
    parents: parents.split(' ').filter(Boolean),
    committerEmail,
    trailers: trailers.split(' ').filter(Boolean),
  }
}

function rethrow(error: unknown): never {
  throw explainPatch(error)
}

function explainPatch(error: unknown): unknown {
  if (!(error instanceof GitFailed)) return error
  if (/No space left on device/.test(error.stderr))
    return new StepFailed('disk_full', error.lastLine, { retryable: true, cause: error })
  if (error.exit === 'output' || /exceeds maximum allowed size|out of memory/i.test(error.stderr)) {
    return new StepFailed('too_large', 'the change is larger than can be looked at', { cause: error })
  }
  // What git found in an object ("gitmodulesUrl: disallowed submodule url: …"); its last line only says that it found something.
  const found = /^error: object [0-9a-f]+: (.+)$/m.exec(error.stderr)?.[1]
  return new StepFailed('patch_invalid', `git refused the change: ${found ?? error.lastLine}`, { cause: error })
}
