import { type Git, GitFailed, textOf } from '../checkout/git.ts'
import { StepFailed } from '../errors.ts'
import type { BranchPush } from './forge.ts'

/**
 * Makes `branch` stand at `commit`, when it still stands at `expected`. The operator's own hooks and settings may refuse.
 * Throws StepFailed: `branch_has_other_commits` (it moved; retryable, because the next look may find it ours), `push_refused`.
 */
export async function pushBranch(git: Git, push: BranchPush): Promise<void> {
  const { repository, branch, commit, expected, gitDir, signal } = push
  const ref = `refs/heads/${branch}`
  if ((await findHeadIn(git, repository.url, branch)) === commit) return
  const settings = ['-c', 'core.hooksPath=/dev/null', '-c', 'push.followTags=false', '-c', 'push.recurseSubmodules=no']
  try {
    // The lease is held by the one who holds the ref's lock: git refuses when the branch is not at `expected` (empty: not there).
    await git(
      [
        ...settings,
        'push',
        '--quiet',
        '--no-signed',
        `--force-with-lease=${ref}:${expected ?? ''}`,
        repository.url,
        `${commit}:${ref}`,
      ],
      { gitDir, signal },
    )
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error
    const head = await findHeadIn(git, repository.url, branch)
    if (head === commit) return
    if (head !== (expected ?? undefined)) {
      throw new StepFailed('branch_has_other_commits', `the branch ${branch} moved while it was being published`, {
        retryable: true,
        cause: error,
      })
    }
    throw refusal(error, branch)
  }
}

export async function findHeadIn(git: Git, gitDir: string, branch: string): Promise<string | undefined> {
  const found = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `refs/heads/${branch}^{commit}`], {
    gitDir,
    codes: [0, 1],
  })
  return found.code === 0 ? textOf(found) : undefined
}

function refusal(error: GitFailed, branch: string): StepFailed {
  const facts = { cause: error }
  const { stderr } = error
  if (/branch is currently checked out/.test(stderr)) {
    return new StepFailed('push_refused', `the branch ${branch} is checked out in the repository`, {
      ...facts,
      hint: 'switch that work tree to another branch, then retry the run',
    })
  }
  if (/No space left on device/.test(stderr))
    return new StepFailed('disk_full', 'no space left in the repository', { ...facts, retryable: true })
  const blocking = /'refs\/heads\/([^']+)' exists; cannot create/.exec(stderr)
  if (blocking) {
    return new StepFailed(
      'push_refused',
      `the repository has a branch named ${blocking[1]}, so ${branch} cannot be made`,
      {
        ...facts,
        hint: `rename it: git branch -m ${blocking[1]} <another name>`,
      },
    )
  }
  return new StepFailed('push_refused', `the repository refused ${branch}: ${whyRefused(stderr)}`, facts)
}

/** A hook speaks in `remote:` lines, git itself in the bracket of the rejected ref. */
export function whyRefused(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trimEnd())
  // What the hook reference-transaction says comes as it is, just before git's own word.
  const aborted = lines.findIndex((line) => line.includes('ref updates aborted by hook'))
  if (aborted > 0) return lines[aborted - 1]!.slice(0, 300)
  const hook = lines.findLast((line) => /^remote: (?!error: hook declined)\s*\S/.test(line))
  const bracket = lines.findLast((line) => line.startsWith(' ! ['))
  return (
    hook?.replace(/^remote:\s*/, '') ??
    /\(([^()]*)\)$/.exec(bracket ?? '')?.[1] ??
    lines.findLast((line) => line !== '') ??
    ''
  ).slice(0, 300)
}
