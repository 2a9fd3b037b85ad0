import type { Segment } from './zone-files.ts'

const name = '(?:<[^>]+>|[A-Za-z]+)'
const time = String.raw`([+-]?\d+(?::\d+){0,2})`
const form = new RegExp(`^${name}${time}(?:${name}${time}?,([^,/]+)(?:/${time})?,([^,/]+)(?:/${time})?)?$`)

/** `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX, and RFC 9636 3.3.1) as changes, from 1970 until a year. */
export function changesByRule(rule: string, lastYear: number): Segment[] {
  if (rule === '') return []
  const [, standard, summer, starts, startsAt, ends, endsAt] = form.exec(rule) ?? []
  if (standard === undefined) throw new Error(`the rule ${rule} is not understood`)
  const winterMs = -milliseconds(standard)
  if (starts === undefined || ends === undefined) return [{ from: Date.UTC(1970, 0, 1), offset: winterMs }]
  const summerMs = summer === undefined ? winterMs + 3_600_000 : -milliseconds(summer)
  const changes: Segment[] = []
  for (let year = 1970; year <= lastYear; year++) {
    const at = (day: string, clock = '2') => dayOf(day, year) + milliseconds(clock)
    changes.push({ from: at(starts, startsAt) - winterMs, offset: summerMs })
    changes.push({ from: at(ends, endsAt) - summerMs, offset: winterMs })
  }
  return changes.sort((a, b) => a.from - b.from)
}

function milliseconds(clock: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = clock.replace(/^[+-]/, '').split(':').map(Number)
  return (clock.startsWith('-') ? -1 : 1) * ((hours * 60 + minutes) * 60 + seconds) * 1000
}

const dayMs = 86_400_000

/** `M3.5.0`: the last Sunday of March; `J60`: 1 March; `59`: the sixtieth day. */
function dayOf(text: string, year: number): number {
  const [, month, week, weekday] = /^M(\d+)\.(\d)\.(\d)$/.exec(text)?.map(Number) ?? []
  if (month === undefined || week === undefined || weekday === undefined) {
    const number = Number(text.replace('J', ''))
    const isLeap = new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1
    if (!text.startsWith('J')) return Date.UTC(year, 0, 1 + number)
    return Date.UTC(year, 0, isLeap && number >= 60 ? number + 1 : number)
  }
  const first = Date.UTC(year, month - 1, 1)
  const toFirst = (weekday - new Date(first).getUTCDay() + 7) % 7
  const days = toFirst + (week - 1) * 7
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return first + (days < length ? days : days - 7) * dayMs
}
