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

/** Schedules that are due at the same instants; `at` is the next of them, in milliseconds. */
type Alike<S> = { schedules: S[]; cron: Cron; zone: Zone; at: number }

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
  const waiting = alikeOf(schedules)
  for (const alike of waiting) alike.at = after(alike, from)
  for (;;) {
    const soonest = waiting.reduce<Alike<S> | undefined>((a, b) => (a && a.at <= b.at ? a : b), undefined)
    if (!soonest || soonest.at > end) return
    const at = new Date(soonest.at)
    for (const schedule of soonest.schedules) yield describe(schedule, at)
    soonest.at = after(soonest, at)
  }
}

/** Ten thousand routines have few expressions, and finding an instant is what costs. */
function alikeOf<S extends Schedule>(schedules: readonly S[]): Alike<S>[] {
  const found = Map.groupBy(schedules, ({ cron, timezone }) => JSON.stringify([cron, timezone]))
  return [...found.values()].map((alike) => {
    const { cron, timezone } = alike[0]!
    return { schedules: alike, cron: cronOf(cron), zone: timezone, at: Infinity }
  })
}

function after<S>({ cron, zone }: Alike<S>, from: Date): number {
  return nextFire(cron, zone, from)?.getTime() ?? Infinity
}

function describe<S extends Schedule>(schedule: S, at: Date): Upcoming<S> {
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
