import type { Schedule } from '../../routines/routine.ts'
import { cronOf, type Cron } from './cron.ts'
import { isTransitionDay, nextFire } from './next-fire.ts'
import { offsetAt, type Zone } from '../../routines/zone.ts'

export type Upcoming<S extends Schedule> = {
  schedule: S
  at: Date
  /** As a clock in the schedule's zone shows it: `2026-11-20 02:00 +01:00`. */
  local: string
  /** The clocks change on that local day. */
  transitionDay: boolean
}

type Waiting<S> = { schedule: S; cron: Cron; at: Date }

/**
 * Every coming fire within `days` after `from` (exclusive), soonest first, found as it is asked for: a `* * * * *` has 43,200 in a month.
 * Hand in whatever carries a cron and a timezone, such as `{ routine, cron, timezone }`; it comes back as `schedule`.
 */
export function* upcoming<S extends Schedule>(
  schedules: readonly S[],
  from: Date,
  days: number,
): Generator<Upcoming<S>> {
  const end = from.getTime() + days * 86_400_000
  const waiting = schedules.flatMap((schedule) => {
    const cron = cronOf(schedule.cron)
    return wait(schedule, cron, from)
  })
  while (waiting.length > 0) {
    const soonest = waiting.reduce((a, b) => (b.at < a.at ? b : a))
    if (soonest.at.getTime() > end) return
    yield describe(soonest)
    waiting.splice(waiting.indexOf(soonest), 1, ...wait(soonest.schedule, soonest.cron, soonest.at))
  }
}

function wait<S extends Schedule>(schedule: S, cron: Cron, after: Date): Waiting<S>[] {
  const at = nextFire(cron, schedule.timezone, after)
  return at ? [{ schedule, cron, at }] : []
}

function describe<S extends Schedule>({ schedule, at }: Waiting<S>): Upcoming<S> {
  return {
    schedule,
    at,
    local: localTime(schedule.timezone, at),
    transitionDay: isTransitionDay(schedule.timezone, at),
  }
}

/** `2026-11-20 02:00 +01:00`: sortable, and never two instants that read alike. */
export function localTime(zone: Zone, at: Date): string {
  const offset = offsetAt(zone, at.getTime())
  const wall = new Date(at.getTime() + offset).toISOString()
  const size = new Date(Math.abs(offset)).toISOString()
  return `${wall.slice(0, 10)} ${wall.slice(11, 16)} ${offset < 0 ? '-' : '+'}${size.slice(11, 16)}`
}
