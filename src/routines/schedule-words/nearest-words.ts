import { nearest } from '../nearest.ts'
import { months, weekdays } from './plain-days.ts'

const known = ['minute', 'minutes', 'hour', 'hours', 'day', 'weekday', 'weekend', 'week', 'month', 'year']
const small = ['at', 'on', 'the', 'and', 'noon', 'midnight']
const others: Record<string, string> = {
  daily: 'day',
  days: 'day',
  hourly: 'hour',
  weekly: 'week on monday',
  monthly: 'month on the 1st',
  yearly: 'year on 1 january',
  annually: 'year on 1 january',
  workday: 'weekday',
  workdays: 'weekday',
  weekdays: 'weekday',
  weekends: 'weekend',
  quarter: '15 minutes',
  mins: 'minutes',
  min: 'minutes',
  hrs: 'hours',
  h: 'hours',
}

/** The plain words that a person probably meant, of the forms that `isGood` takes; undefined when none is near. */
export function nearestWords(text: string, isGood: (words: string) => boolean): string | undefined {
  const mended = mend(text)
  const tries = [mended, `${mended} at 09:00`, mended.replace(/ at .*/, ''), ...evenly(mended)]
  return tries.find(isGood)
}

function mend(text: string): string {
  const spaced = text
    .replaceAll(/(\d)\s*(am|pm)\b/g, '$1$2')
    .replaceAll(/\bo'?clock\b/g, '')
    .replaceAll(/,\s*/g, ' , ')
  const words = spaced.split(' ').filter(Boolean)
  const mended = words.map((word, index) => time(word, words[index - 1]) ?? others[word] ?? wordNear(word))
  return mended.join(' ').replaceAll(' ,', ',')
}

/** `9am`, `9.30`, and a bare `9` behind `at`. */
function time(word: string, before: string | undefined): string | undefined {
  const [, hours, minutes = '00', half] = /^(\d{1,2})(?:[:.h]?(\d\d))?(am|pm)?$/.exec(word) ?? []
  if (hours === undefined || Number(hours) > 24) return undefined
  if (!/[:.h]|am|pm/.test(word) && before !== 'at' && before !== 'and') return undefined
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (half === 'pm' ? 12 : 0)
  return `${String(hour % 24).padStart(2, '0')}:${minutes}`
}

function wordNear(word: string): string {
  if (!/^[a-z]+$/.test(word)) return word
  const all = [...known, ...small, ...weekdays, ...months]
  if (all.includes(word) || weekdays.some((day) => day.slice(0, 3) === word)) return word
  return nearest(word, all) ?? word
}

/** What is counted and does not fit evenly, as the next shorter thing that does. */
function evenly(text: string): string[] {
  const [, number, unit] = /^(\d{1,4}) (minute|hour)s?$/.exec(text) ?? []
  if (number === undefined) return []
  const minutes = Number(number) * (unit === 'hour' ? 60 : 1)
  const shorter = Array.from({ length: Math.min(minutes, 1440) }, (_, index) => Math.min(minutes, 1440) - index)
  return shorter.map((length) => {
    if (length === 60) return 'hour'
    return length % 60 === 0 ? `${length / 60} hours` : `${length} minutes`
  })
}
