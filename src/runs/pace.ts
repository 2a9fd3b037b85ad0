import type { Debounce } from '../routines/routine.ts'
import { isEvent, type Occasion } from './occasion.ts'

/** When a new run may start, and what it waits for until then. */
export type Pace = { notBefore: Date; waitsFor: string | null }

const moreEvents = 'more events of the same kind'

/** Of a run that is begun by this occasion. */
export function paceOf(occasion: Occasion, now: Date): Pace {
  const { debounce } = occasion.routine
  if (debounce === null || !isDebounced(occasion)) return { notBefore: now, waitsFor: null }
  return { notBefore: new Date(now.getTime() + Math.min(debounce.waitMs, debounce.maxMs)), waitsFor: moreEvents }
}

export function isDebounced(occasion: Occasion): boolean {
  return occasion.routine.debounce !== null && isEvent(occasion) && !occasion.alone
}

/** The start of a run that another event joins: later by another wait, never later than `maxMs` after the run was made, never earlier. */
export function startAfterJoin(
  run: { createdAt: Date; notBefore: Date },
  { waitMs, maxMs }: Debounce,
  now: Date,
): Date {
  const wanted = Math.min(now.getTime() + waitMs, run.createdAt.getTime() + maxMs)
  // One that is due already only waits for its turn.
  return run.notBefore.getTime() > now.getTime() ? new Date(Math.max(run.notBefore.getTime(), wanted)) : run.notBefore
}
