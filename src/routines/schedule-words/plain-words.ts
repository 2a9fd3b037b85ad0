import { quoted } from '../format.ts'
import { nearestWords } from './nearest-words.ts'
import { daysOf, listOfWords, type DayFields } from './plain-days.ts'

export type Read = { crons: string[] } | { error: string }

/** How often something may be due that is counted: whatever fits evenly into an hour or a day, so that it begins anew with each. */
const perHour = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30]
const perDay = [1, 2, 3, 4, 6, 8, 12]

/** The forms that `every:` knows, as examples. Everything that is not of one of them is refused. */
export const plainForms = [
  'minute',
  '15 minutes',
  'hour',
  'hour at :30',
  '6 hours',
  'day at 07:30',
  'day at 09:00 and 17:00',
  'weekday at 02:00',
  'weekend at noon',
  'monday and thursday at 09:00',
  'month on the 1st at 06:00',
  'month on the 1st and 15th at midnight',
  'year on 31 december at 18:00',
] as const

/**
 * What stands behind `every:` as cron expressions – more than one where its times have different minutes –, or what is wrong with
 * it and what to write instead.
 */
export function readPlainWords(written: string): Read {
  const text = normal(written)
  const crons = cronsOf(text)
  if (crons) return { crons }
  const meant = nearestWords(text, (words) => cronsOf(words) !== undefined)
  const why = reasonOf(text)
  const advice =
    meant === undefined ? `write it like one of: ${plainForms.join(' · ')}` : `did you mean ${quoted(meant)}?`
  return { error: `${quoted(written)} ${why}: ${advice}` }
}

function normal(written: string): string {
  const text = written.slice(0, 200).trim().toLowerCase().replaceAll(/\s+/g, ' ')
  return text.replace(/^every /, '')
}

function cronsOf(text: string): string[] | undefined {
  return counted(text) ?? atTimes(text)
}

function counted(text: string): string[] | undefined {
  const [, number = '1', unit, past = '0'] = /^(?:(\d{1,3}) )?(minute|hour)s?(?: at :([0-5]\d))?$/.exec(text) ?? []
  const every = Number(number)
  if (unit === 'minute' && past === '0' && perHour.includes(every))
    return [every === 1 ? '* * * * *' : `*/${every} * * * *`]
  if (unit === 'hour' && perDay.includes(every)) return [`${Number(past)} ${every === 1 ? '*' : `*/${every}`} * * *`]
  return undefined
}

function atTimes(text: string): string[] | undefined {
  const [, days, times] = /^(.+?) at (.+)$/.exec(text) ?? []
  const on = days === undefined ? undefined : daysOf(days)
  const clocks = times === undefined ? [] : listOfWords(times).map(clockOf)
  if (!on || clocks.length === 0 || clocks.includes(undefined)) return undefined
  return cronsAt(
    on,
    clocks.filter((clock) => clock !== undefined),
  )
}

type Clock = { hour: number; minute: number }

/** Times of one minute are one expression; 9:00 and 17:30 are two. */
function cronsAt({ day, month, weekday }: DayFields, clocks: readonly Clock[]): string[] {
  const byMinute = Map.groupBy(clocks, ({ minute }) => minute)
  return [...byMinute].map(([minute, same]) => {
    const hours = [...new Set(same.map(({ hour }) => hour))].sort((a, b) => a - b)
    return `${minute} ${hours.join(',')} ${day} ${month} ${weekday}`
  })
}

function clockOf(word: string): Clock | undefined {
  if (word === 'noon') return { hour: 12, minute: 0 }
  if (word === 'midnight') return { hour: 0, minute: 0 }
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(word) ?? []
  return hour === undefined ? undefined : { hour: Number(hour), minute: Number(minute) }
}

const reasons: readonly [pattern: RegExp, why: string][] = [
  [/\bseconds?\b/, 'is too often, a minute is the shortest'],
  [/^\d+ minutes?$/, 'do not fit evenly into an hour'],
  [/^\d+ hours?$/, 'do not fit evenly into a day'],
  [/^(?:\d+|other|second) (?:day|week|month|year)s?\b/, 'cannot be counted over the ends of months and years'],
  [/\blast\b/, 'asks for a last day, which is not supported'],
  [/^(?:(?:week)?(?:day|end)|(?:mon|tues|wednes|thurs|fri|satur|sun)day)s?$/, 'says no time'],
]

function reasonOf(text: string): string {
  return reasons.find(([pattern]) => pattern.test(text))?.[1] ?? 'is not understood'
}
