import { StepFailed } from '../errors.ts'
import { indexLines, toPutBack } from './agent-configuration.ts'
import type { Checkout } from './checkout.ts'
import { type Git, GitFailed, runGit, textOf } from './git.ts'
import type { Mirror } from './mirror.ts'
import { type Patch, patchCapBytes } from './patch.ts'
import { differing, writeTree } from './pull-copy.ts'
import { openQuarantine } from './quarantine.ts'

export type ProposedRequest = {
  checkout: Pick<Checkout, 'pull'>
  mirror: Pick<Mirror, 'gitDir' | 'refresh'>
  patch: Patch
  folder: string
  signal: AbortSignal
}

/**
 * A change of a pull request's copy as a change of the pull request itself: where the run left the agent configuration alone that was
 * replaced, it is the pull request's again. null when nothing else is changed. Throws as `openQuarantine`.
 */
export async function asProposed({ checkout, patch, ...request }: ProposedRequest): Promise<Patch | null> {
  const { pull } = checkout
  if (!pull || pull.commit === patch.base) return patch
  const mirror = { ...request.mirror, gitDir: pull.gitDir }
  await using quarantine = await openQuarantine({ ...request, mirror, patch })
  const { gitDir } = quarantine
  const git: Git = (args, options) => runGit(args, { gitDir, bounded: true, signal: request.signal, ...options })
  try {
    const replaced = await differing(git, patch.base, pull.commit)
    const back = toPutBack(replaced, await differing(git, patch.base, patch.tree))
    const tree = await writeTree(git, { gitDir, from: patch.tree, lines: indexLines(back, 'new') })
    return tree === pull.tree ? null : { base: pull.commit, tree, pack: await packOf(git, pull.commit, tree) }
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error
    const reason = error.exit === 'output' ? 'too_large' : 'patch_invalid'
    throw new StepFailed(reason, `the change cannot be put on the pull request: ${error.lastLine}`, { cause: error })
  }
}

async function packOf(git: Git, base: string, tree: string): Promise<Buffer> {
  const commit = textOf(await git(['commit-tree', tree, '-p', base, '-m', 'patch']))
  const pack = ['pack-objects', '--quiet', '--revs', '--thin', '--delta-base-offset', '--stdout', '--threads=1']
  return (await git(pack, { input: `${commit}\n^${base}\n`, maxBytes: patchCapBytes })).stdout
}

/** Does a branch of the repository have this commit? One that was pushed over has it no more. */
export async function standsOn({ gitDir }: Pick<Mirror, 'gitDir'>, branch: string, commit: string): Promise<boolean> {
  const ask = ['merge-base', '--is-ancestor', '--end-of-options', commit, `refs/heads/${branch}`]
  return (await runGit(ask, { gitDir, codes: [0, 1, 128] })).code === 0
}
