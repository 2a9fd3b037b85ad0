import { createHash } from 'node:crypto'
import type { Pattern } from './due.ts'
import { segmentsOf, zoneNames, type Segment } from './zone-files.ts'

export type Case = { index: number; pattern: Pattern; zone: string; segments: readonly Segment[]; after: number }
/** A whole number from 0 to below `below`. */
type Dice = (below: number) => number

const [first, last] = [Date.UTC(1970, 0, 8), Date.UTC(2099, 11, 1)]
const minuteMs = 60_000

/** Case `index` of a seed is always the same, whatever was asked before. */
export function openCases(seed: number): (index: number) => Case {
  const zones = zoneNames().map((zone) => {
    const segments = segmentsOf(zone)
    return { zone, segments, changes: segments.map(({ from }) => from).filter((from) => from > first && from < last) }
  })
  return (index) => {
    const dice = diceOf(`${seed} ${index}`)
    const { zone, segments, changes } = zones[dice(zones.length)]!
    return { index, zone, segments, after: instant(dice, changes), pattern: patternOf(dice) }
  }
}

/** Mulberry32, begun from a hash. */
function diceOf(text: string): Dice {
  let state = createHash('sha256').update(text).digest().readUInt32LE()
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** Mostly near a change of clocks: from minutes around it, from hours before it; to the millisecond, and on the minute. */
function instant(dice: Dice, changes: readonly number[]): number {
  const kind = dice(8)
  const minutesAway = kind < 4 ? 2 * 60 : 40 * 60
  const anywhere = first + dice(2 ** 30) * ((last - first) / 2 ** 30)
  const change = changes[dice(changes.length)]
  const isAnywhere = kind === 7 || change === undefined
  const at = isAnywhere ? Math.floor(anywhere) : change + (dice(2 * minutesAway) - minutesAway) * minuteMs
  return at + [0, 0, 0, -1, 1, dice(minuteMs)][dice(6)]!
}

type Part = { text: string; values: Set<number>; star: boolean }
type Field = { min: number; max: number; likely: number[]; names?: readonly string[] }

const fields = {
  minute: { min: 0, max: 59, likely: [0, 15, 30, 45] },
  hour: { min: 0, max: 23, likely: [0, 1, 2, 3, 23] },
  day: { min: 1, max: 31, likely: [1, 29, 30, 31] },
  month: {
    min: 1,
    max: 12,
    likely: [2, 3, 4, 10, 11],
    names: ['jan', 'FEB', 'mar', 'Apr', 'may', 'JUN', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  weekday: { min: 0, max: 6, likely: [0, 6], names: ['sun', 'MON', 'tue', 'wed', 'Thu', 'fri', 'sat'] },
} as const satisfies Record<string, Field>

const nicknames: [text: string, five: [number, number | '*', number | '*', number | '*', number | '*']][] = [
  ['@hourly', [0, '*', '*', '*', '*']],
  ['@daily', [0, 0, '*', '*', '*']],
  ['@weekly', [0, 0, '*', '*', 0]],
  ['@monthly', [0, 0, 1, '*', '*']],
  ['@yearly', [0, 0, 1, 1, '*']],
]

function patternOf(dice: Dice): Pattern {
  if (dice(40) === 0) return nickname(dice)
  for (;;) {
    const usually = (field: Field) => (dice(3) < 2 ? star(field) : part(field, dice))
    const minute = part(fields.minute, dice)
    const hour = part(fields.hour, dice)
    const [day, month, weekday] = [usually(fields.day), usually(fields.month), usually(fields.weekday)]
    const pattern = joined([minute, hour, day, month, weekday])
    if (comes(pattern)) return pattern
  }
}

function nickname(dice: Dice): Pattern {
  const [text, five] = nicknames[dice(nicknames.length)]!
  const parts = Object.values(fields).map((field: Field, index) => {
    const value = five[index]!
    return value === '*' ? star(field) : { text: '', values: new Set([value]), star: false }
  })
  return { ...joined(parts as FiveParts), text }
}

type FiveParts = [minute: Part, hour: Part, day: Part, month: Part, weekday: Part]

function joined([minute, hour, day, month, weekday]: FiveParts): Pattern {
  return {
    text: [minute, hour, day, month, weekday].map(({ text }) => text).join(' '),
    minutes: minute.values,
    hours: hour.values,
    days: day.values,
    months: month.values,
    weekdays: weekday.values,
    star: { minute: minute.star, hour: hour.star, day: day.star, weekday: weekday.star },
  }
}

/** Not 31 February, which is refused. */
function comes({ days, months, star }: Pattern): boolean {
  if (!star.day && !star.weekday) return true
  const longest = Math.max(...[...months].map((month) => new Date(Date.UTC(2024, month, 0)).getUTCDate()))
  return Math.min(...days) <= longest
}

function star({ min, max }: Field): Part {
  return { text: '*', values: new Set(through(min, max)), star: true }
}

function part(field: Field, dice: Dice): Part {
  const elements = Array.from({ length: [1, 1, 1, 2, 2, 3][dice(6)]! }, () => element(field, dice))
  return {
    text: elements.map(({ text }) => text).join(','),
    values: new Set(elements.flatMap(({ values }) => [...values])),
    star: elements.some((one) => one.star),
  }
}

function element(field: Field, dice: Dice): Part {
  const { min, max, likely, names } = field
  const value = () => (dice(2) === 0 ? likely[dice(likely.length)]! : min + dice(max - min + 1))
  const written = (number: number) => (names && dice(3) === 0 ? names[number - min]! : `${number}`)
  const kind = dice(8)
  if (kind === 0) return star(field)
  if (kind === 1) {
    const step = 2 + dice(Math.min(11, max - min - 1))
    return { text: `*/${step}`, values: new Set(through(min, max, step)), star: true }
  }
  const one = value()
  if (kind < 6)
    return { text: isSunday(field, one) && dice(2) === 0 ? '7' : written(one), values: new Set([one]), star: false }
  const [low, high] = [one, value()].sort((a, b) => a - b) as [number, number]
  const step = Math.min(1 + dice(4), high - low + 1)
  const text = `${written(low)}-${written(high)}${step > 1 ? `/${step}` : ''}`
  return { text, values: new Set(through(low, high, step)), star: false }
}

function isSunday(field: Field, value: number): boolean {
  return field.max === 6 && value === 0
}

function through(first: number, last: number, step = 1): number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step)
}
