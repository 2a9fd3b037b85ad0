import type { CatchUp } from '../../routines/routine.ts'
import type { Cron } from './cron.ts'
import { nextFire } from './next-fire.ts'
import type { Zone } from '../../routines/zone.ts'

export type DueSlot =
  | { at: Date; outcome: 'fire'; reason: null; late: boolean }
  /** `unlisted` stands for every missed slot from `at` until the next one in the list. */
  | { at: Date; outcome: 'missed'; reason: MissedReason; late: false }
type MissedReason = 'no_catch_up' | 'catch_up' | 'catch_up_max' | 'max_age' | 'unlisted'

/** `from`: the first instant, inclusive, whose slot has no row yet. */
export type OwedSchedule = { cron: Cron; zone: Zone; from: Date }

export type Owed = {
  /** All schedules of one routine: its rule is about their slots together. */
  schedules: readonly OwedSchedule[]
  now: Date
  catchUp: CatchUp
  /** The most slots that get a row of their own (default 10,000); older ones share one row, so that no downtime makes unbounded work. */
  cap?: number
}

// A week of a routine that is due every minute. Finding as many takes about 0.2 s.
const rows = 10_000

/** The scheduler looks every second; one that comes later than this was away. */
const lateMs = 60_000

/**
 * Every slot of a routine due until `now`, oldest first, and what becomes of it by the routine's rule. `next` is the instant to go
 * on from, of each schedule: a later call with `from: next` repeats no slot and leaves none out.
 */
export function dueSlots(owed: Owed): { slots: DueSlot[]; next: (Date | undefined)[] } {
  // A clock that went back must not owe the same slots again.
  const next = owed.schedules.map(({ cron, zone, from }) =>
    nextFire(cron, zone, new Date(Math.max(owed.now.getTime(), from.getTime() - 1))),
  )
  const due = newestDue(owed)
  const listed = due.slice(-(owed.cap ?? rows))
  const slots = listed.map((at, index) => decide(new Date(at), listed.length - 1 - index, owed))
  if (due.length > listed.length)
    slots.unshift({ at: firstDue(owed), outcome: 'missed', reason: 'unlisted', late: false })
  return { slots, next }
}

/**
 * The instant from which a schedule that is new at `now` owes its slots: the next one. What was written for a single instant
 * owes that one though it has passed, so that it is on record as missed.
 */
export function owedFrom(cron: Cron, zone: Zone, now: Date): Date | undefined {
  return nextFire(cron, zone, cron.isOnce ? new Date(0) : now)
}

/** `newer`: how many of the due slots are newer than this one. */
function decide(at: Date, newer: number, { now, catchUp }: Owed): DueSlot {
  const age = now.getTime() - at.getTime()
  const reason = age > catchUp.maxAgeMs ? 'max_age' : byMode(catchUp, { newer, late: age > lateMs })
  if (reason !== null) return { at, outcome: 'missed', reason, late: false }
  return { at, outcome: 'fire', reason, late: age > lateMs }
}

function byMode({ mode, max }: CatchUp, { newer, late }: { newer: number; late: boolean }): MissedReason | null {
  if (mode === 'none') return late ? 'no_catch_up' : null
  if (mode === 'last') return newer > 0 ? 'catch_up' : null
  return newer >= max ? 'catch_up_max' : null
}

/** All due instants, or at least the newest cap + 1 of them. Found backwards by windows, because a cron can only be asked forwards. */
function newestDue({ schedules, now, cap = rows }: Owed): number[] {
  // A window holds one instant a minute at most: no more than cap, or a week's.
  const windowMs = Math.max(cap, 7 * 24 * 60) * 60_000
  const oldest = Math.min(...schedules.map(({ from }) => from.getTime()))
  const windows: number[][] = []
  let found = 0
  for (let end = now.getTime(); end >= oldest && found <= cap; end -= windowMs) {
    const fires = schedules.flatMap((schedule) => [...firesBetween(schedule, end - windowMs + 1, end)])
    const distinct = [...new Set(fires)].sort((a, b) => a - b)
    windows.unshift(distinct)
    found += distinct.length
  }
  return windows.flat()
}

/** Both inclusive, and never before the schedule owes. */
function* firesBetween({ cron, zone, from }: OwedSchedule, start: number, end: number): Iterable<number> {
  let at = nextFire(cron, zone, new Date(Math.max(from.getTime(), start) - 1))
  while (at && at.getTime() <= end) {
    yield at.getTime()
    at = nextFire(cron, zone, at)
  }
}

function firstDue({ schedules, now }: Owed): Date {
  const firsts = schedules.map(({ cron, zone, from }) => nextFire(cron, zone, new Date(from.getTime() - 1)) ?? now)
  return new Date(Math.min(...firsts.map((at) => at.getTime())))
}
