import type { RoutineRow } from '../../ledger/schema.ts'
import type { Schedule } from '../../routines/routine.ts'
import { cronOf } from '../schedule/cron.ts'
import { nextFire } from '../schedule/next-fire.ts'

export type Standing = Pick<RoutineRow, 'appliedAt' | 'pausedAt' | 'resumedAt' | 'removedAt'>
/** What is known of everything: it is paused, or when it went on after a pause. */
export type Whole = { isPaused: boolean; resumedAt: Date | undefined }

/**
 * The instant after which a routine owes its slots, by what the ledger says of it; undefined = it owes none now. What was
 * changed or resumed after a slot may have taken it away by right: such a slot is forgiven.
 */
export function owedSince(row: Standing, whole: Whole): Date | undefined {
  if (row.removedAt !== null || row.pausedAt !== null || whole.isPaused) return undefined
  const times = [row.appliedAt, row.resumedAt, whole.resumedAt].map((time) => time?.getTime() ?? -Infinity)
  return new Date(Math.max(...times))
}

/** The first slot of a routine's text strictly after an instant, whatever any row says; undefined = never again. */
export function nextSlot(schedules: readonly Schedule[], after: Date): Date | undefined {
  const times = schedules.flatMap(({ cron, timezone }) => nextFire(cronOf(cron), timezone, after)?.getTime() ?? [])
  return times.length === 0 ? undefined : new Date(Math.min(...times))
}
