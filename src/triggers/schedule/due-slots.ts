import type { Routine } from '../../routines/routine.ts'
import type { Cron } from './cron.ts'
import { nextFire } from './next-fire.ts'
import type { Zone } from './zone.ts'

export type DueSlot =
  | { at: Date; outcome: 'fire'; reason: null; late: boolean }
  /** `unlisted` stands for every missed slot from `at` until the next one in the list. */
  | { at: Date; outcome: 'missed'; reason: 'catch_up' | 'max_age' | 'unlisted'; late: false }

export type Owed = {
  cron: Cron
  zone: Zone
  /** Owed since: the first instant, inclusive, whose slot has no row yet. */
  from: Date
  now: Date
  catchUp: Routine['catchUp']
  /** The most slots that get a row of their own (default 10,000); older ones share one row, so that no downtime makes unbounded work. */
  cap?: number
}

// A week of a routine that is due every minute. Finding as many takes about 0.2 s.
const rows = 10_000

const lateMs = 60_000

/**
 * Every slot due in [from, now], oldest first, and what becomes of it: the newest fires unless it is older than `maxAgeMs`,
 * the others are missed. `next` is the instant to go on from: a later call with `from: next` repeats no slot and leaves none out.
 */
export function dueSlots(owed: Owed): { slots: DueSlot[]; next: Date | undefined } {
  const { cron, zone, now } = owed
  const from = owed.from.getTime()
  // A clock that went back must not owe the same slots again.
  const next = nextFire(cron, zone, new Date(Math.max(now.getTime(), from - 1)))
  const due = newestDue(owed)
  const listed = due.slice(-(owed.cap ?? rows))
  const slots = listed.map((at, index) => decide(at, index === listed.length - 1, owed))
  const first = nextFire(cron, zone, new Date(from - 1))
  if (due.length > listed.length && first)
    slots.unshift({ at: first, outcome: 'missed', reason: 'unlisted', late: false })
  return { slots, next }
}

function decide(at: Date, newest: boolean, { now, catchUp }: Owed): DueSlot {
  const age = now.getTime() - at.getTime()
  if (age > catchUp.maxAgeMs) return { at, outcome: 'missed', reason: 'max_age', late: false }
  if (!newest) return { at, outcome: 'missed', reason: 'catch_up', late: false }
  return { at, outcome: 'fire', reason: null, late: age > lateMs }
}

/** All due instants, or at least the newest cap + 1 of them. Found backwards by windows, because a cron can only be asked forwards. */
function newestDue({ cron, zone, from, now, cap = rows }: Owed): Date[] {
  // A window holds one instant a minute at most: no more than cap, or a week's.
  const windowMs = Math.max(cap, 7 * 24 * 60) * 60_000
  const windows: Date[][] = []
  let found = 0
  for (let end = now.getTime(); end >= from.getTime() && found <= cap; end -= windowMs) {
    const start = Math.max(from.getTime(), end - windowMs + 1)
    const fires = [...firesBetween(cron, zone, { start, end })]
    windows.unshift(fires)
    found += fires.length
  }
  return windows.flat()
}

function* firesBetween(cron: Cron, zone: Zone, { start, end }: { start: number; end: number }): Iterable<Date> {
  let at = nextFire(cron, zone, new Date(start - 1))
  while (at && at.getTime() <= end) {
    yield at
    at = nextFire(cron, zone, at)
  }
}
