import type { Segment } from './zone-files.ts'

/** What a pattern means, as plain sets: nothing here reads cron. */
export type Pattern = {
  text: string
  minutes: ReadonlySet<number>
  hours: ReadonlySet<number>
  days: ReadonlySet<number>
  months: ReadonlySet<number>
  weekdays: ReadonlySet<number>
  star: { minute: boolean; hour: boolean; day: boolean; weekday: boolean }
}

const dayMs = 86_400_000
/** No zone is farther from UTC, and no clock was set by more: what clocks show is at most so far from the instant. */
const reachDays = 2
/** The calendar repeats itself after 28 years, but for the turn of a century. */
const horizonDays = 42 * 366

/**
 * The first instant after `after` at which the pattern is due by the written rule, or undefined. It walks days, then the minutes of
 * those that match, and asks a table of offsets for the instant at which clocks come to each:
 * fixed times – the first instant at which clocks show as much or more; real time – every instant at which they show it.
 */
export function nextByTheRule(pattern: Pattern, segments: readonly Segment[], after: number): number | undefined {
  const followsRealTime = pattern.star.minute || pattern.star.hour
  const instants = followsRealTime ? everyInstant : reachedAt
  const firstDay = Math.floor(after / dayMs) - reachDays
  const near = segmentsNear(segments, after)
  let best = Infinity
  for (let day = firstDay; day < firstDay + horizonDays && (day - reachDays) * dayMs <= best; day++) {
    if (!isDay(pattern, new Date(day * dayMs))) continue
    const due = minutesOf(pattern, day * dayMs).flatMap((wall) => instants(wall, near))
    best = Math.min(best, ...due.filter((at) => at > after))
  }
  return best === Infinity ? undefined : best
}

function isDay(pattern: Pattern, date: Date): boolean {
  if (!pattern.months.has(date.getUTCMonth() + 1)) return false
  const day = pattern.days.has(date.getUTCDate())
  const weekday = pattern.weekdays.has(date.getUTCDay())
  return pattern.star.day || pattern.star.weekday ? day && weekday : day || weekday
}

function minutesOf({ hours, minutes }: Pattern, midnight: number): number[] {
  return [...hours].flatMap((hour) => [...minutes].map((minute) => midnight + (hour * 60 + minute) * 60_000))
}

/** Those from a little before an instant on. */
function segmentsNear(segments: readonly Segment[], after: number): Segment[] {
  const first = segments.findLastIndex(({ from }) => from < after - (reachDays + 2) * dayMs)
  return segments.slice(Math.max(first, 0))
}

const endOf = (segments: readonly Segment[], index: number) => segments[index + 1]?.from ?? Infinity

function reachedAt(wall: number, segments: readonly Segment[]): number[] {
  const index = segments.findIndex(({ offset }, index) => wall < endOf(segments, index) + offset)
  const { from, offset } = segments[index]!
  return [Math.max(from, wall - offset)]
}

function everyInstant(wall: number, segments: readonly Segment[]): number[] {
  const found: number[] = []
  for (let index = 0; index < segments.length && segments[index]!.from <= wall + reachDays * dayMs; index++) {
    const { from, offset } = segments[index]!
    if (wall - offset >= from && wall - offset < endOf(segments, index)) found.push(wall - offset)
  }
  return found
}
