import { GitFailed, textOf } from '../../checkout/git.ts'
import { StepFailed } from '../../errors.ts'
import type { BranchPush, Remote } from '../forge.ts'

/**
 * Makes `branch` stand at `commit`, when it still stands at `expected`. Whatever the answer was, the head is looked at again: a
 * push whose answer was lost is found to have happened. Throws StepFailed `branch_has_other_commits` (retryable: the next look may
 * find it ours) and what `remote.explain` says.
 */
export async function pushToGitHub(remote: Remote, push: BranchPush): Promise<void> {
  const { repository, branch, commit, expected, gitDir, signal } = push
  const ref = `refs/heads/${branch}`
  const settings = ['-c', 'push.followTags=false', '-c', 'push.recurseSubmodules=no']
  const lease = `--force-with-lease=${ref}:${expected ?? ''}`
  const words = ['push', '--quiet', '--no-signed', '--no-verify', lease, repository.url, `${commit}:${ref}`]
  try {
    await remote.git([...settings, ...words], { gitDir, signal })
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error
    const listed = await remote
      .git(['ls-remote', '--quiet', repository.url, ref], { signal })
      .then(textOf, () => undefined)
    if (listed === undefined) throw remote.explain(error)
    const head = listed.split('\t')[0] || null
    if (head === commit) return
    if (head === expected) throw remote.explain(error)
    throw new StepFailed('branch_has_other_commits', `the branch ${branch} moved while it was being published`, {
      retryable: true,
      cause: error,
    })
  }
}
