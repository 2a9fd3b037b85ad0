import { type Git, GitFailed, textOf } from '../checkout/git.ts'
import { printable } from '../checkout/hear.ts'
import { Conflict } from '../errors.ts'
import type { PullRecord } from './pull-records.ts'
import { findHeadIn } from './push-local.ts'
import { gitDirOf } from './settle-local.ts'
import { findWorkTrees, moveWorkTree, requireClean, type WorkTree } from './work-trees.ts'

type Merge = { git: Git; pull: PullRecord; by: string }

/**
 * Moves the base to hold the branch: forward where that is enough, else by a merge commit. Work trees that have the base checked
 * out must be clean and move with it. Throws Conflict with what to do; then nothing has changed. Safe to repeat after a kill.
 */
export async function mergeLocal(merge: Merge): Promise<{ head: string; mergeCommit: string }> {
  try {
    return await moveBase(merge)
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error
    throw new Conflict(`#${merge.pull.number} could not be merged: ${error.lastLine}`, 'correct that and merge again')
  }
}

async function moveBase({ git, pull, by }: Merge): Promise<{ head: string; mergeCommit: string }> {
  const gitDir = gitDirOf(pull.repository)
  const here: Git = (args, options) => git(args, { ...options, gitDir })
  const head = await findHeadIn(git, gitDir, pull.branch)
  const old = await findHeadIn(git, gitDir, pull.base)
  if (head === undefined)
    throw new Conflict(`the branch ${pull.branch} is gone`, 'close the pull request and fire the routine again')
  if (old === undefined)
    throw new Conflict(`the base ${pull.base} is gone`, 'close the pull request and fire the routine again')
  const next = await mergedCommit({ git: here, pull, by, head, old })
  const trees = await findWorkTrees(git, gitDir, pull.base)
  for (const tree of trees) await requireClean(git, tree, { old, next })
  await moveAll({ git, here, pull, trees, old, next })
  return { head, mergeCommit: next }
}

type Commits = Merge & { head: string; old: string }

async function mergedCommit({ git, pull, by, head, old }: Commits): Promise<string> {
  const isAncestor = await git(['merge-base', '--is-ancestor', old, head], { codes: [0, 1] })
  if (isAncestor.code === 0) return head
  const merged = await git(['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', old, head], {
    codes: [0, 1],
  })
  const [tree = '', ...names] = merged.stdout.toString('utf8').split('\0').filter(Boolean)
  if (merged.code === 1) {
    const files = [...new Set(names)]
    const shown = files.slice(0, 5).map(printable).join(', ')
    const more = files.length > 5 ? ` and ${files.length - 5} more` : ''
    throw new Conflict(
      `#${pull.number} conflicts with ${pull.base} in ${shown}${more}`,
      `fire the routine again to have it redone on the present ${pull.base}, or merge ${pull.branch} by hand`,
    )
  }
  const message = `Merge pull request #${pull.number}: ${pull.title}\n\nBranch: ${pull.branch}\nMerged-by: ${by.replaceAll(/\s+/g, ' ')}\n`
  return textOf(await git(['commit-tree', tree, '-p', old, '-p', head], { input: message }))
}

type Move = { git: Git; here: Git; pull: PullRecord; trees: WorkTree[]; old: string; next: string }

/** Work trees first: after a kill in between they hold what the base is about to become, and the next try goes on from there. */
async function moveAll({ git, here, pull, trees, old, next }: Move): Promise<void> {
  const moved: WorkTree[] = []
  try {
    for (const tree of trees) {
      await moveWorkTree(git, tree, { old, next })
      moved.push(tree)
    }
    const reason = `overnight: merge pull request #${pull.number}`
    await here(['update-ref', '-m', reason, `refs/heads/${pull.base}`, next, old])
  } catch (error) {
    for (const tree of moved) await moveWorkTree(git, tree, { old: next, next: old })
    if (!(error instanceof GitFailed)) throw error
    if (!/but expected|cannot lock ref|reference already exists/.test(error.stderr)) throw error
    throw new Conflict(`#${pull.number} could not be merged: ${pull.base} moved at the same moment`, 'merge again')
  }
}
