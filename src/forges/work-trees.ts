import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Git, GitFailed, textOf } from '../checkout/git.ts'
import { Conflict } from '../errors.ts'

/** A work tree of the operator that has the base checked out. */
export type WorkTree = { path: string }
type Step = { old: string; next: string }

/** Every work tree of the repository that has `branch` checked out. */
export async function findWorkTrees(git: Git, gitDir: string, branch: string): Promise<WorkTree[]> {
  const listed = textOf(await git(['worktree', 'list', '--porcelain', '-z'], { gitDir }))
  const entries = listed.split('\0\0').map((entry) => entry.split('\0').filter(Boolean))
  return entries
    .filter((lines) => lines.includes(`branch refs/heads/${branch}`))
    .map((lines) => ({ path: lines[0]!.slice('worktree '.length) }))
    .filter(({ path }) => existsSync(path))
}

/** Throws Conflict unless the work tree stands at `old` with nothing uncommitted, or a killed merge already moved it to `next`. */
export async function requireClean(git: Git, { path }: WorkTree, { next }: Step): Promise<void> {
  const gitDir = textOf(await git(['rev-parse', '--absolute-git-dir'], { cwd: path }))
  const busy = ['MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'rebase-merge', 'rebase-apply'].find((name) =>
    existsSync(join(gitDir, name)),
  )
  if (busy !== undefined)
    throw new Conflict(`${path} is in the middle of a merge or rebase`, 'finish or abort it there, then merge again')
  const status = await git(['status', '--porcelain=v1', '-z', '--untracked-files=no', '--ignore-submodules=dirty'], {
    cwd: path,
  })
  const dirty = status.stdout.toString('utf8').split('\0').filter(Boolean)
  if (dirty.length === 0 || (await isAlreadyAt(git, { path, next, dirty }))) return
  throw new Conflict(
    `${path} has the base checked out with uncommitted changes (${dirty[0]!.slice(3)}${dirty.length > 1 ? ', …' : ''})`,
    'commit or stash them there, then merge again',
  )
}

/** Moves the files and the index of a clean work tree; refuses, with nothing changed, where a file nobody committed is in the way. */
export async function moveWorkTree(git: Git, { path }: WorkTree, { old, next }: Step): Promise<void> {
  if (await indexIs(git, path, next)) return
  await git(['update-index', '-q', '--refresh'], { cwd: path, codes: [0, 1] })
  try {
    await git(['read-tree', '-m', '-u', old, next], { cwd: path })
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error
    const blocking = /Untracked working tree file '([^']+)'/.exec(error.stderr)?.[1]
    if (blocking === undefined) throw error
    throw new Conflict(`${path} has an uncommitted file in the way: ${blocking}`, 'move it away, then merge again')
  }
}

async function isAlreadyAt(
  git: Git,
  { path, next, dirty }: { path: string; next: string; dirty: string[] },
): Promise<boolean> {
  const onlyStaged = dirty.every((line) => line[1] === ' ')
  return onlyStaged && (await indexIs(git, path, next))
}

async function indexIs(git: Git, path: string, commit: string): Promise<boolean> {
  const same = await git(['diff-index', '--cached', '--quiet', commit, '--'], { cwd: path, codes: [0, 1] })
  return same.code === 0
}
