import type { RoutineRow } from '../../ledger/schema.ts'
import type { Schedule } from '../../routines/routine.ts'
import { cronOf } from '../schedule/cron.ts'
import { nextFire } from '../schedule/next-fire.ts'

export type Standing = Pick<RoutineRow, 'appliedAt' | 'pausedAt' | 'resumedAt' | 'removedAt'>
/** What is known of everything: it is paused, or when it went on after a pause. */
export type Whole = { isPaused: boolean; resumedAt: Date | undefined }

/**
 * The instant after which a routine owes its slots, by what the ledger says of it; undefined = it owes none now. What was
 * changed or resumed after a slot may have taken it away by right: such a slot is forgiven. What was changed after `now` says nothing
 * of when: a clock that ran ahead wrote it.
 */
export function owedSince(row: Standing, whole: Whole, now: Date): Date | undefined {
  if (row.removedAt !== null || row.pausedAt !== null || whole.isPaused) return undefined
  const times = [row.appliedAt, row.resumedAt, whole.resumedAt].flatMap((time) => time?.getTime() ?? [])
  return new Date(Math.max(0, ...times.filter((time) => time <= now.getTime())))
}

/** Finds the first slot of a routine's text strictly after an instant, whatever any row says; undefined = never again. */
export type NextSlot = (schedules: readonly Schedule[], after: Date) => Date | undefined

/** Thousands of routines have few schedules: what was found for one holds for the others, from where it was looked for until it is due. */
export function createNextSlot(): NextSlot {
  const found = new Map<string, { after: Date; next: Date | undefined }>()
  const nextOf = ({ cron, timezone }: Schedule, after: Date): Date | undefined => {
    const key = `${timezone} ${cron}`
    const known = found.get(key)
    if (known && after >= known.after && (known.next === undefined || after < known.next)) return known.next
    const next = nextFire(cronOf(cron), timezone, after)
    found.set(key, { after, next })
    return next
  }
  return (schedules, after) => {
    const times = schedules.flatMap((schedule) => nextOf(schedule, after)?.getTime() ?? [])
    return times.length === 0 ? undefined : new Date(Math.min(...times))
  }
}
