import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cronOf } from '../../../src/triggers/schedule/cron.ts'
import { nextFire } from '../../../src/triggers/schedule/next-fire.ts'
import { firesIn } from './fires-in.ts'
import { dueByTheRule, type Pattern } from './oracle.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** One zone a kind of clock change: whole, half and quarter hours, at midnight, twice a year, by decree, over a day, never. */
const zones = [
  'America/New_York',
  'Europe/Berlin',
  'Europe/London',
  'Australia/Lord_Howe',
  'Asia/Beirut',
  'Pacific/Apia',
  'Pacific/Kwajalein',
  'America/Sao_Paulo',
  'Pacific/Chatham',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Gaza',
  'America/Havana',
  'America/St_Johns',
  'Antarctica/Troll',
  'Asia/Pyongyang',
  'Asia/Kathmandu',
  'America/Caracas',
  'Europe/Moscow',
  'America/Asuncion',
  'UTC',
  'Asia/Tokyo',
]
const [firstYear, lastYear] = [Date.UTC(1975, 0, 1), Date.UTC(2036, 0, 1)]

const through = (first: number, last: number, step = 1) => {
  const values: number[] = []
  for (let value = first; value <= last; value += step) values.push(value)
  return values
}

/** The hours in which the offset that Intl names for a zone becomes another one. */
function changeHours(zone: string): number[] {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset', hour: 'numeric' })
  const nameAt = (at: number) => format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value
  const hours: number[] = []
  for (let day = firstYear; day < lastYear; day += dayMs) {
    if (nameAt(day) === nameAt(day + dayMs)) continue
    const hour = through(1, 24).find((hour) => nameAt(day + hour * hourMs) !== nameAt(day)) ?? 24
    hours.push(day + hour * hourMs)
  }
  return hours
}
const changes = new Map(zones.map((zone) => [zone, changeHours(zone)]))

const place = fc.constantFrom(...zones).chain((zone) => {
  const anywhere = fc.integer({ min: firstYear, max: lastYear })
  const hours = changes.get(zone) ?? []
  if (hours.length === 0) return anywhere.map((at) => placed(zone, at))
  const near = (hoursAway: number) =>
    fc
      .tuple(fc.constantFrom(...hours), fc.integer({ min: -hoursAway * 60, max: hoursAway * 60 }))
      .map(([at, minutes]) => at + minutes * 60_000)
  // From hours before a change the walk passes it; from minutes around it the walk begins in the repeated or missing hour.
  return fc
    .oneof({ weight: 4, arbitrary: near(2) }, { weight: 3, arbitrary: near(40) }, { weight: 1, arbitrary: anywhere })
    .map((at) => placed(zone, at))
})
const placed = (zone: string, at: number) => ({ zone, from: Math.floor(at / 60_000) * 60_000 })

type Part = { text: string; values: Set<number>; star: boolean }
function part(min: number, max: number, likely: number[]): fc.Arbitrary<Part> {
  const value = fc.oneof(fc.constantFrom(...likely), fc.integer({ min, max }))
  const one = value.map((number) => ({ text: `${number}`, values: [number], star: false }))
  const range = fc.tuple(value, value, fc.integer({ min: 1, max: 4 })).map(([a, b, wanted]) => {
    const [first, last] = a < b ? [a, b] : [b, a]
    const step = Math.min(wanted, last - first + 1)
    return { text: `${first}-${last}${step > 1 ? `/${step}` : ''}`, values: through(first, last, step), star: false }
  })
  const star = fc.constant({ text: '*', values: through(min, max), star: true })
  const steps = fc
    .integer({ min: 2, max: Math.min(12, max - min) })
    .map((step) => ({ text: `*/${step}`, values: through(min, max, step), star: true }))
  const element = fc.oneof(
    { weight: 4, arbitrary: one },
    { weight: 2, arbitrary: range },
    { weight: 1, arbitrary: steps },
    { weight: 1, arbitrary: star },
  )
  return fc.array(element, { minLength: 1, maxLength: 3 }).map((elements) => ({
    text: elements.map(({ text }) => text).join(','),
    values: new Set(elements.flatMap(({ values }) => values)),
    star: elements.some(({ star }) => star),
  }))
}
const anyDay = (min: number, max: number): Part => ({
  text: '*',
  values: new Set(through(min, max)),
  star: true,
})
const mostly = (often: Part, rare: fc.Arbitrary<Part>) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(often) }, { weight: 1, arbitrary: rare })

const pattern: fc.Arbitrary<Pattern> = fc
  .tuple(
    part(0, 59, [0, 15, 30, 45]),
    part(0, 23, [0, 1, 2, 3, 23]),
    mostly(anyDay(1, 31), part(1, 31, [1, 29, 30, 31])),
    mostly(anyDay(1, 12), part(1, 12, [3, 4, 10, 11])),
    mostly(anyDay(0, 6), part(0, 6, [0, 6])),
  )
  .map(([minute, hour, day, month, weekday]) => ({
    text: [minute, hour, day, month, weekday].map(({ text }) => text).join(' '),
    minutes: minute.values,
    hours: hour.values,
    days: day.values,
    months: month.values,
    weekdays: weekday.values,
    star: { minute: minute.star, hour: hour.star, day: day.star, weekday: weekday.star },
  }))
  .filter(
    ({ days, months, star }) =>
      !(star.day || star.weekday) ||
      [...months].some((month) => Math.min(...days) <= new Date(Date.UTC(2024, month, 0)).getUTCDate()),
  )

describe('nextFire against the written rule', () => {
  test('the generator finds the changes', () => {
    expect(changes.get('America/New_York')?.length).toBe(122)
    expect(changes.get('Asia/Tokyo')).toEqual([])
  })

  test('every fire of a day is one the rule gives, and none is left out', () => {
    fc.assert(
      fc.property(pattern, place, (pattern, { zone, from }) => {
        const to = from + dayMs
        expect(firesIn(cronOf(pattern.text), zone, new Date(from), new Date(to))).toEqual(
          dueByTheRule(pattern, zone, from, to),
        )
      }),
      { numRuns: 300 },
    )
  }, 60_000)

  test('asked from any instant before it, the next fire is the same', () => {
    fc.assert(
      fc.property(pattern, place, fc.double({ min: 0, max: 1, noNaN: true }), (pattern, { zone, from }, fraction) => {
        const cron = cronOf(pattern.text)
        const next = nextFire(cron, zone, new Date(from))
        fc.pre(next !== undefined)
        const between = new Date(from + Math.floor((next.getTime() - from - 1) * fraction))
        expect(nextFire(cron, zone, between)).toEqual(next)
      }),
      { numRuns: 1000 },
    )
  })

  test('it always moves forward', () => {
    fc.assert(
      fc.property(pattern, place, fc.integer({ min: 0, max: 60_000 }), (pattern, { zone, from }, extra) => {
        const next = nextFire(cronOf(pattern.text), zone, new Date(from + extra))
        expect(next === undefined || next.getTime() > from + extra).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
