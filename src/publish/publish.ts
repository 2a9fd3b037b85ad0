import type { Pull } from '../forges/forge.ts'
import { propose, type ProposeRequest } from './propose.ts'

export type PublishRequest = ProposeRequest & {
  /** Asked before each change at the forge: rejects when the run is no longer this worker's to publish. */
  confirm: () => Promise<unknown>
  /** Called when a step's effect is on the forge. */
  reached?: (step: 'pushed' | 'pull_ensured') => Promise<void> | void
}

export type Published = { state: 'published' | 'unchanged'; branch: string; commit: string; pull: Pull }

/**
 * The patch as one commit on its base, on the subject's branch, with one pull request. Safe to repeat at any point: branch, commit
 * and pull request are found again on the forge. Throws StepFailed: `branch_has_other_commits`, `push_refused`, `forge_unavailable`.
 */
export async function publish(request: PublishRequest): Promise<Published> {
  const { repository, forge, quarantine, signal } = request
  const found = await propose(request)
  if ('made' in found)
    return { state: 'published', branch: found.made.branch, commit: found.made.head, pull: found.made }
  const { wanted, head, holds } = found
  const { branch, head: commit } = wanted
  if (holds) return { state: 'unchanged', branch, commit: holds.head, pull: holds.pull }
  await request.confirm()
  await forge.ensureBranch({ repository, branch, commit, expected: head ?? null, gitDir: quarantine.gitDir, signal })
  await request.reached?.('pushed')
  await request.confirm()
  const pull = await forge.ensurePull(wanted, signal)
  await request.reached?.('pull_ensured')
  return { state: 'published', branch, commit, pull }
}
