import { StepFailed } from '../errors.ts'
import type { Mirror } from '../checkout/index.ts'
import type { Repository } from '../forges/forge.ts'
import type { Run } from '../ledger/schema.ts'
import type { PatchToPublish } from './endings.ts'
import { openRepository } from './prepare.ts'
import { pullOf } from './pull-checkout.ts'
import type { Task } from './task.ts'

/** Where a change goes: `base` is the branch that its pull request is to be merged into. */
export type Goal = { repository: Repository; mirror: Mirror; base: string }

/**
 * As the forge is now. `now`: the run as its work has left it. A change to a pull request goes into the branch of that; nothing of a
 * stranger's commits is pushed to the repository. Throws StepFailed `fork`, `pull_request_over`.
 */
export async function findGoal(task: Task, now: Run, patch: Pick<PatchToPublish, 'base'>): Promise<Goal> {
  const { repository, mirror } = await openRepository(task)
  if (task.routine.checkout === 'base') return { repository, mirror, base: now.base! }
  const { number, fork, state, branch } = await pullOf(task, repository)
  const kept = `the change is kept: GET /v1/runs/${now.id}/diff, and the page of the run`
  if (fork) throw new StepFailed('fork', `pull request #${number} is from a fork, where nothing is pushed; ${kept}`)
  if (state !== 'open') throw new StepFailed('pull_request_over', `pull request #${number} is ${state} by now; ${kept}`)
  // What a person took out of it must not come back as the past of our commit.
  const stands = () => task.tools.checkouts.standsOn(mirror, branch, patch.base)
  // The branch may have got its name since the mirror was refreshed.
  if (!(await stands())) await mirror.refresh(task.signal)
  if (!(await stands()))
    throw new StepFailed('pull_request_over', `pull request #${number} was pushed over meanwhile; ${kept}`)
  return { repository, mirror, base: branch }
}
