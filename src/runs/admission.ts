import type { Run } from '../ledger/schema.ts'

/**
 * Which of the owed runs (oldest first) may go to the queue now: at most `limit` at work in all, one at a time a routine.
 * A publication that a person approved does not wait for the routine's next run.
 */
export function admit(
  owed: readonly Pick<Run, 'id' | 'routine' | 'state'>[],
  busy: readonly Pick<Run, 'id' | 'routine'>[],
  limit: number,
): string[] {
  const taken = new Set(busy.map((run) => run.routine))
  const admitted: string[] = []
  for (const run of owed) {
    if (busy.length + admitted.length >= limit) break
    if (run.state === 'queued' && taken.has(run.routine)) continue
    taken.add(run.routine)
    admitted.push(run.id)
  }
  return admitted
}
