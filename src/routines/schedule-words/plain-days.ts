/** Three fields of a cron expression. */
export type DayFields = { day: string; month: string; weekday: string }

export const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
export const months = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]
const everyDay: DayFields = { day: '*', month: '*', weekday: '*' }

/** The days that `every:` names before its `at`; undefined = they are not understood. */
export function daysOf(text: string): DayFields | undefined {
  if (text === 'day') return everyDay
  if (text === 'weekday') return { ...everyDay, weekday: '1-5' }
  if (text === 'weekend') return { ...everyDay, weekday: '0,6' }
  const [, unit, which = ''] = /^(month|year|week) on (.+)$/.exec(text) ?? []
  if (unit === 'month') return inMonth(which)
  if (unit === 'year') return inYear(which)
  return onWeekdays(unit === 'week' ? which : text)
}

/** `monday`, `mon, wed and fri` */
function onWeekdays(text: string): DayFields | undefined {
  const numbers = listOfWords(text).map((word) => numberOf(word, weekdays))
  return numbers.length === 0 || numbers.includes(-1) ? undefined : { ...everyDay, weekday: listed(numbers) }
}

/** `the 1st and 15th` */
function inMonth(text: string): DayFields | undefined {
  const numbers = listOfWords(text).map((word) => dayOf(word.replace(/^the /, ''), /^(\d{1,2})(?:st|nd|rd|th)$/))
  return numbers.length === 0 || numbers.includes(-1) ? undefined : { ...everyDay, day: listed(numbers) }
}

/** `1 january`, `january 1` */
function inYear(text: string): DayFields | undefined {
  const words = text.split(' ')
  const [number, name] = /^\d/.test(text) ? words : words.toReversed()
  const [day, month] = [dayOf(number ?? '', /^(\d{1,2})(?:st|nd|rd|th)?$/), numberOf(name ?? '', months)]
  return words.length !== 2 || day < 0 || month < 0 ? undefined : { day: `${day}`, month: `${month + 1}`, weekday: '*' }
}

/** By its name or its first three letters; -1 = unknown. */
function numberOf(word: string, names: readonly string[]): number {
  return names.findIndex((name) => name === word || name.slice(0, 3) === word)
}

function dayOf(word: string, form: RegExp): number {
  const day = Number(form.exec(word)?.[1] ?? -1)
  return day >= 1 && day <= 31 ? day : -1
}

function listed(numbers: readonly number[]): string {
  return [...new Set(numbers)].sort((a, b) => a - b).join(',')
}

/** `monday, wednesday and friday` */
export function listOfWords(text: string): string[] {
  return text
    .split(/(?:,| and )+/)
    .map((word) => word.trim())
    .filter(Boolean)
}
