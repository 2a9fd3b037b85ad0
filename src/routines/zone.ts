/** An IANA time zone name that Intl knows, such as Europe/Berlin. */
export type Zone = string

// Making a formatter costs about 50 µs, using one below 1 µs. There are some 600 zones, so this stays small.
const formatters = new Map<Zone, Intl.DateTimeFormat>()

function formatterOf(zone: Zone): Intl.DateTimeFormat {
  const known = formatters.get(zone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  formatters.set(zone, made)
  return made
}

/** Does Intl know it? Letter case does not matter to it. */
export function isZone(name: string): boolean {
  try {
    return formatterOf(name) !== undefined
  } catch {
    return false
  }
}

/** Wall time minus instant, in milliseconds, at an instant. Seconds count: before 1900 many zones had them. */
export function offsetAt(zone: Zone, at: number): number {
  const [, sign, hours = 0, minutes = 0, seconds = 0] =
    /GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/.exec(formatterOf(zone).format(at)) ?? []
  const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
  return sign === '-' ? -size : size
}

// Two changes of one zone were never closer than days; a quarter of a day also sees those that other calendars announce late.
const sampleMs = 6 * 3_600_000

/** The first instant in (from, to] from which the offset is another one than at `from`. */
export function firstChange(zone: Zone, from: number, to: number): number | undefined {
  const offset = offsetAt(zone, from)
  for (let low = from; low < to; low += sampleMs) {
    const high = Math.min(low + sampleMs, to)
    if (offsetAt(zone, high) !== offset) return bisect((at) => offsetAt(zone, at) === offset, low, high)
  }
  return undefined
}

/** The first integer in (low, high] where `same` is false, given same(low) and not same(high). */
function bisect(same: (at: number) => boolean, low: number, high: number): number {
  let [yes, no] = [low, high]
  while (no - yes > 1) {
    const middle = Math.floor((yes + no) / 2)
    if (same(middle)) yes = middle
    else no = middle
  }
  return no
}
