import { createHash } from 'node:crypto'
import type { Blackout, Debounce, Pace as Rules, Routine } from '../routines/routine.ts'
import { offsetAt, type Zone } from '../routines/zone.ts'
import { isAskedFor, isEvent, type Occasion } from './occasion.ts'

/** When a new run may start, and what it waits for until then. */
export type Pace = { notBefore: Date; waitsFor: string | null }
/**
 * `lastStart`: when the run before it started, or may; `begun`: runs made within `max.per`, those that people asked for left
 * out; `firstCause`: since when those wait whose place it takes.
 */
export type Before = { lastStart: Date | undefined; begun: number; firstCause?: Date | undefined }

const moreEvents = 'more events of the same kind'
const itsJitter = 'its own moment within the jitter of its routine'
const itsCooldown = 'the cooldown of its routine'
const itsHours = 'the end of the hours in which its routine may not start'

/** Of a run that is begun by this occasion: the rule that holds it longest is the one it waits for. */
export function paceOf(occasion: Occasion, now: Date, before: Before): Pace {
  const { pace, debounce } = occasion.routine
  const rules = isAskedFor(occasion) ? null : pace
  const held = [
    ...(debounce && isDebounced(occasion)
      ? [{ at: gatheredBy(debounce, before.firstCause ?? now, now), waitsFor: moreEvents }]
      : []),
    ...(rules && occasion.slotAt
      ? [{ at: jittered(occasion.routine.name, occasion.slotAt, rules), waitsFor: itsJitter }]
      : []),
    ...(rules && before.lastStart
      ? [{ at: before.lastStart.getTime() + rules.cooldownMs, waitsFor: itsCooldown }]
      : []),
  ].filter(({ at }) => at > now.getTime())
  const longest = held.toSorted((a, b) => b.at - a.at)[0] ?? { at: now.getTime(), waitsFor: null }
  const clear = rules ? afterBlackouts(rules, longest.at) : longest.at
  return { notBefore: new Date(clear), waitsFor: clear > longest.at ? itsHours : longest.waitsFor }
}

/** What was moved for another reason still starts only when the routine may. */
export function withinHours({ pace }: Pick<Routine, 'pace'>, at: Date): Date {
  return pace ? new Date(afterBlackouts(pace, at.getTime())) : at
}

/** More than the routine allows itself in that time: the occasion is skipped. */
export function isTooMany(occasion: Occasion, { begun }: Pick<Before, 'begun'>): boolean {
  const max = occasion.routine.pace?.max
  return !isAskedFor(occasion) && max !== null && max !== undefined && begun >= max.runs
}

/** The same slot of the same routine always starts at the same instant, whoever computes it; the slot stays where it is. */
function jittered(routine: string, slotAt: Date, { jitterMs }: Rules): number {
  if (jitterMs === 0) return slotAt.getTime()
  const digest = createHash('sha256').update(`${routine}\0${slotAt.toISOString()}`).digest()
  return slotAt.getTime() + (digest.readUIntBE(0, 6) % jitterMs)
}

const minuteMs = 60_000
const dayMinutes = 1440
/** No window is longer than a week, or the routine would not have been read. */
const furthestMs = 8 * 86_400_000

/** The first instant at or after `at` that lies in no window: minute by minute, so that it is right however clocks are set. */
export function afterBlackouts({ zone, notBetween }: Pick<Rules, 'zone' | 'notBetween'>, at: number): number {
  let clear = at
  while (notBetween.some((window) => isWithin(window, zone, clear)) && clear < at + furthestMs)
    clear = Math.floor(clear / minuteMs) * minuteMs + minuteMs
  return clear
}

/** By what a clock in the zone shows. One over midnight belongs to the day on which it begins. */
function isWithin({ days, fromMinute, minutes }: Blackout, zone: Zone, at: number): boolean {
  const wall = Math.floor((at + offsetAt(zone, at)) / minuteMs)
  // 1 January 1970 was a Thursday.
  const today = Math.floor(wall / dayMinutes)
  const minute = wall - today * dayMinutes
  const isOn = (day: number, since: number) => days.includes((((day + 4) % 7) + 7) % 7) && since >= 0 && since < minutes
  return isOn(today, minute - fromMinute) || isOn(today - 1, minute + dayMinutes - fromMinute)
}

export function isDebounced(occasion: Occasion): boolean {
  return occasion.routine.debounce !== null && isEvent(occasion) && !occasion.alone
}

/** Another wait from now on, never later than `maxMs` after the first cause. */
const gatheredBy = ({ waitMs, maxMs }: Debounce, firstCause: Date, now: Date): number =>
  Math.min(now.getTime() + waitMs, firstCause.getTime() + maxMs)

/** The start of a run that another event joins: never earlier than it was. */
export function startAfterJoin(run: { causedAt: Date; notBefore: Date }, debounce: Debounce, now: Date): Date {
  const wanted = gatheredBy(debounce, run.causedAt, now)
  // One that is due already only waits for its turn.
  return run.notBefore.getTime() > now.getTime() ? new Date(Math.max(run.notBefore.getTime(), wanted)) : run.notBefore
}
