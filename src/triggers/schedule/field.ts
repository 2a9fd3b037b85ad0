/** One of the five places of a cron expression. Values are inclusive. */
export type FieldSpec = { name: string; min: number; max: number; names: readonly string[] }
/** The values a field allows, ascending, and whether a person wrote a `*` in it. */
export type Field = { values: readonly number[]; star: boolean }

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

/** In the order they are written. Sunday is 0 and, as in every crontab, also 7. */
export const fieldSpecs = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  { name: 'day of month', min: 1, max: 31, names: [] },
  { name: 'month', min: 1, max: 12, names: months },
  { name: 'day of week', min: 0, max: 7, names: weekdays },
] as const satisfies readonly FieldSpec[]

/** Reads one field, or says in one sentence what is wrong and what to write instead. */
export function parseField(text: string, spec: FieldSpec): Field | { error: string } {
  const values = new Set<number>()
  for (const element of text.split(',')) {
    const read = parseElement(element, spec)
    if ('error' in read) return { error: `${spec.name} ${JSON.stringify(text)}: ${read.error}` }
    for (const value of read.values) values.add(isWeekday(spec) ? value % 7 : value)
  }
  return { values: [...values].sort((a, b) => a - b), star: text.includes('*') }
}

function parseElement(text: string, spec: FieldSpec): { values: number[] } | { error: string } {
  const [, star, start = '', end = start, stepText = '1'] = elementForm.exec(text) ?? []
  const first = star ? spec.min : valueOf(start, spec)
  const last = star ? starEnd(spec) : lastOf(end, spec, first)
  if (first === undefined || last === undefined) return { error: foreign(text, spec) }
  if (/^\w+\//.test(text)) return { error: `a step needs a range or "*": write ${start}-${starEnd(spec)}/${stepText}` }
  return last < first ? { error: wrapped(first, last, spec) } : stepped(first, last, Number(stepText))
}

function stepped(first: number, last: number, step: number): { values: number[] } | { error: string } {
  const room = last - first + 1
  if (step < 1 || step > room) return { error: `a step is a number from 1 to ${room} here` }
  return { values: Array.from({ length: Math.ceil(room / step) }, (_, index) => first + index * step) }
}

/** A star, a value or a range, and perhaps a step. Whatever does not fit has no value and is refused by `foreign`. */
const elementForm = /^(?:(\*)|([a-z]+|\d+)(?:-([a-z]+|\d+))?)(?:\/(\d+))?$/i

function isWeekday(spec: FieldSpec): boolean {
  return spec.max === 7
}

/** `*` in the weekday field is seven days, not eight: a step must not count Sunday twice. */
function starEnd(spec: FieldSpec): number {
  return isWeekday(spec) ? 6 : spec.max
}

function valueOf(text: string, spec: FieldSpec): number | undefined {
  const named = spec.names.indexOf(text.toUpperCase())
  if (named >= 0) return named + spec.min
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  return value >= spec.min && value <= spec.max ? value : undefined
}

/** A range may end on Sunday by name: FRI-SUN is what people write, and Sunday is then 7. */
function lastOf(text: string, spec: FieldSpec, first: number | undefined): number | undefined {
  const value = valueOf(text, spec)
  return isWeekday(spec) && text.toUpperCase() === 'SUN' && first !== undefined && first > 0 ? 7 : value
}

function wrapped(first: number, last: number, spec: FieldSpec): string {
  const end = isWeekday(spec) ? 6 : spec.max
  const part = (from: number, to: number) => (from === to ? `${from}` : `${from}-${to}`)
  return `a range goes upwards: write ${part(first, end)},${part(spec.min, last)}`
}

const extensions: readonly [pattern: RegExp, sentence: string][] = [
  [/^$/, 'an empty place in the list: take out the extra comma'],
  [/\?/, '"?" is not supported: write "*"'],
  [/#/, '"#" (the nth weekday of a month) is not supported: write the plain weekday, such as MON'],
  [/^(?:L?W|\d+W)$/i, '"W" (the nearest weekday) is not supported: write "*" here and 1-5 as the day of week'],
  [/^(?:L|L-\d+)$/i, '"L" (the last day) is not supported: write a day that every month has, such as 28'],
  [/^(?:\d+L|[a-z]{3}L)$/i, '"L" (the last such weekday) is not supported: write the plain weekday, such as FRI'],
  [/^(?:H|R)(?:$|[/(])/i, '"H" (a hashed time) is not supported: write a number'],
  [/~/, '"~" (a random time) is not supported: write a number'],
  [/^\/\d+$/, 'a step needs a range or "*" before the slash'],
]

function foreign(text: string, spec: FieldSpec): string {
  const known = extensions.find(([pattern]) => pattern.test(text))
  if (known) return known[1]
  const names = spec.names.length > 0 ? `, or ${spec.names[0]}-${spec.names.at(-1)}` : ''
  return `${JSON.stringify(text)} is not a value here: write ${spec.min}-${spec.max}${names}, a range 1-5, a step */2 or a list 1,3`
}
