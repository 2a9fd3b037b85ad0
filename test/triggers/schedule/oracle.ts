/**
 * The written rule for due times, walked minute by minute through the wall clock that Intl shows. It shares nothing with the code
 * under test: no parser, no offsets, no matcher. `minute` and `hour` fields and so on are plain sets, never text.
 */
export type Pattern = {
  text: string
  minutes: Set<number>
  hours: Set<number>
  days: Set<number>
  months: Set<number>
  weekdays: Set<number>
  star: { minute: boolean; hour: boolean; day: boolean; weekday: boolean }
}

const minuteMs = 60_000
/** Longer than any clock was ever set back, so that a second pass is known for one. */
const lookBackMinutes = 25 * 60

function matches(pattern: Pattern, wall: Date): boolean {
  const day = pattern.days.has(wall.getUTCDate())
  const weekday = pattern.weekdays.has(wall.getUTCDay())
  const date = pattern.star.day || pattern.star.weekday ? day && weekday : day || weekday
  return (
    date &&
    pattern.minutes.has(wall.getUTCMinutes()) &&
    pattern.hours.has(wall.getUTCHours()) &&
    pattern.months.has(wall.getUTCMonth() + 1)
  )
}

function clockOf(zone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  return (at) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    return Date.UTC(part['year'] ?? NaN, (part['month'] ?? NaN) - 1, part['day'], part['hour'], part['minute'])
  }
}

/** Every due instant in [from, to), both on whole minutes, as ISO instants. Only for times with offsets in whole minutes. */
export function dueByTheRule(pattern: Pattern, zone: string, ...[from, to]: [number, number]): string[] {
  const clock = clockOf(zone)
  const followsRealTime = pattern.star.minute || pattern.star.hour
  const due: string[] = []
  let highest = clock(from - (lookBackMinutes + 1) * minuteMs)
  for (let at = from - lookBackMinutes * minuteMs; at < to; at += minuteMs) {
    const wall = clock(at)
    const shownNow = matches(pattern, new Date(wall))
    let fires = followsRealTime ? shownNow : shownNow && wall > highest
    if (!followsRealTime) {
      // A fixed time that no clock showed, because it was set forward over it.
      for (let skipped = highest + minuteMs; skipped < wall; skipped += minuteMs)
        fires ||= matches(pattern, new Date(skipped))
    }
    if (fires && at >= from) due.push(new Date(at).toISOString())
    highest = Math.max(highest, wall)
  }
  return due
}
