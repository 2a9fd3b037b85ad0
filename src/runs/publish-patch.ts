import { join } from 'node:path'
import { reasons, StepFailed } from '../errors.ts'
import type { Ending } from '../ledger/held-run.ts'
import type { Run } from '../ledger/schema.ts'
import type { PatchToPublish } from './endings.ts'
import { findGoal } from './goal.ts'
import { proposalOf } from './propose-patch.ts'
import type { Task } from './task.ts'

/** Gate, then branch and pull request. Safe to repeat at any point: everything is found again on the forge. */
export async function publishPatch(task: Task, patch: PatchToPublish): Promise<Ending> {
  const { run, routine, held, tools, signal } = task
  if (patch.findings.length > 0 && run.approvedBy === null) {
    // Nobody is asked about what cannot be published whatever they say.
    if (routine.checkout !== 'base') await findGoal(task, run, patch)
    await held.tell({ kind: 'gate', data: { findings: patch.findings } })
    const more = patch.findings.length > 1 ? ` (and ${patch.findings.length - 1} more)` : ''
    return { state: 'needs_approval', reason: 'policy', message: `${patch.findings[0]!.message}${more}` }
  }
  const now = await held.advance('publishing')
  await requireNewest(task, now)
  const goal = await findGoal(task, now, patch)
  const { repository, mirror } = goal
  await using quarantine = await tools.checkouts.openQuarantine({
    mirror,
    patch,
    folder: join(task.folder, 'quarantine'),
    signal,
  })
  const published = await tools.publish({
    ...proposalOf(task, now, { patch, goal, quarantine }),
    confirm: async () => {
      signal.throwIfAborted()
      await held.renew()
      await requireNewest(task, now)
    },
    reached: (step: 'pushed' | 'pull_ensured') => tools.reached(step, run.id),
  })
  const { pull, branch, commit } = published
  const facts = { base: goal.base, branch, commit, pull: pull.id, pullNumber: pull.number, pullUrl: pull.url }
  for (const text of pull.notes ?? []) await held.tell({ kind: 'note', data: { text } })
  if (published.state === 'unchanged') {
    await held.record(facts)
    return {
      state: 'unchanged',
      reason: null,
      message: `the open pull request #${pull.number} already holds this change`,
    }
  }
  await held.storePublication({
    routine: routine.name,
    subject: run.subject,
    repository: repository.name,
    branch,
    base: pull.base,
    commit,
    pull: pull.id,
  })
  await held.record(facts)
  await tools.reached('publication_stored', run.id)
  return { state: 'published', reason: null, message: null }
}

/** A run that had to wait (for a forge, a worker, a person) must not put its older change over a newer one. */
async function requireNewest({ tools }: Task, run: Run): Promise<void> {
  const newer = await tools.newerThan(run)
  if (newer) throw new StepFailed('superseded', `${reasons.superseded}: run ${newer.run}; this change is kept`)
}
