import type { Statements } from '../ledger/ledger.ts'
import type { Run } from '../ledger/schema.ts'

/** Endings after which the change is finished and only its way out was barred. */
const barred: readonly (string | null)[] = [
  'forge_unavailable',
  'forge_denied',
  'push_refused',
  'branch_has_other_commits',
]

/** Whether a retry has only to publish what the run had made: its agent ended well, and the forge did not take the change. */
export function needsOnlyPublishing({ state, reason, exit }: Pick<Run, 'state' | 'reason' | 'exit'>): boolean {
  return state === 'failed' && barred.includes(reason) && exit?.because === 'exit' && exit.code === 0
}

/**
 * Gives the retry of a run the change that is kept, so that no agent is started again. Not when a later run has published since:
 * then the change is old, and is made anew. Resolves with whether it did.
 */
export async function handOnChange(tx: Statements, run: Run, retry: string): Promise<boolean> {
  if (!needsOnlyPublishing(run) || (await tx.publications.newerThan(run))) return false
  if (!(await tx.publications.copyPatch(run.id, retry))) return false
  await tx.runs.inherit(retry, run)
  await tx.events.tell(retry, 'note', { text: `publishes the change of run ${run.id}; no agent is started` })
  return true
}
