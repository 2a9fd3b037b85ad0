import { Cron as Matcher } from 'croner'
import { BadRequest } from '../../errors.ts'
import { fieldSpecs, parseField, type Field } from './field.ts'

/** Wall time: what a clock on the wall shows, as milliseconds since 1970 of a clock in UTC that shows the same. */
export type WallMs = number

/** A cron expression that was understood: five fields, matched in wall time. It knows no zone. */
export type Cron = {
  expression: string
  /** The minute or hour field contains `*`: the pattern follows real time when clocks change. Otherwise its times are fixed. */
  realTime: boolean
  /** It names a single time. */
  isOnce?: true
  /** Its times are of this zone, wherever it is asked for. */
  zone?: 'UTC'
  /** The first matching wall time at or after `from`; undefined = never again (a matcher looks some centuries ahead). */
  match(from: WallMs): WallMs | undefined
}

const nicknames = new Map([
  ['@hourly', '0 * * * *'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@weekly', '0 0 * * 0'],
  ['@monthly', '0 0 1 * *'],
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
])

/** Accepts five fields (names, ranges, steps, lists) and @hourly … @yearly. `error` says why not and what to write instead. */
export function parseCron(expression: string): Cron | { error: string } {
  const text = expression.trim()
  const five = text.startsWith('@') ? nicknames.get(text.toLowerCase()) : text
  if (five === undefined)
    return { error: `${JSON.stringify(text)} is not known: write one of ${[...nicknames.keys()].join(' ')}` }
  const written = five === '' ? [] : five.split(/\s+/)
  if (written.length !== 5) return { error: wrongCount(written) }
  const fields: Field[] = []
  for (const [index, spec] of fieldSpecs.entries()) {
    const field = parseField(written[index] ?? '', spec)
    if ('error' in field) return field
    fields.push(field)
  }
  return compile(expression, written, fields as FiveFields)
}

/** For an expression that was accepted before (a row of the ledger, a parsed routine). Throws BadRequest if it was not. */
export function cronOf(expression: string): Cron {
  const cron = onceOf(expression) ?? parseCron(expression)
  if ('error' in cron) throw new BadRequest(`cron ${JSON.stringify(expression)}: ${cron.error}`)
  return cron
}

/** `@at 2026-12-01T09:00` is that wall time; with a `Z` it is that instant. This is how the ledger keeps `at:` of a routine file. */
function onceOf(expression: string): Cron | undefined {
  const [, wall, isInstant] = /^@at (\d{4}-\d\d-\d\dT\d\d:\d\d)(Z?)$/.exec(expression) ?? []
  if (wall === undefined) return undefined
  const time = Date.parse(`${wall}Z`)
  return {
    expression,
    realTime: false,
    isOnce: true,
    ...(isInstant ? { zone: 'UTC' } : {}),
    match: (from) => (from <= time ? time : undefined),
  }
}

type FiveFields = [minute: Field, hour: Field, day: Field, month: Field, weekday: Field]

function compile(expression: string, written: readonly string[], fields: FiveFields): Cron | { error: string } {
  const [minute, hour, day, month, weekday] = fields
  // Days of month and week both set mean either; as in Vixie's cron a field with a `*` is not set, and then both must match.
  const both = day.star || weekday.star
  if (both && neverComes(day, month))
    return { error: `no month it names has a day ${day.values[0]}, so it would never fire` }
  const plain = written.map((text, index) => (text === '*' ? '*' : fields[index]?.values.join(',')))
  // Made when it is first asked: most expressions are only checked.
  let matcher: Matcher | undefined
  return {
    expression,
    realTime: minute.star || hour.star,
    match(from) {
      const minuteMs = 60_000
      matcher ??= new Matcher(plain.join(' '), { mode: '5-part', utcOffset: 0, domAndDow: both, paused: true })
      // The matcher looks strictly after what it is given, in whole seconds.
      return matcher.nextRun(new Date(Math.ceil(from / minuteMs) * minuteMs - 1000))?.getTime()
    },
  }
}

function neverComes(day: Field, month: Field): boolean {
  const longest = Math.max(...month.values.map((number) => new Date(Date.UTC(2024, number, 0)).getUTCDate()))
  return (day.values[0] ?? 1) > longest
}

function wrongCount(written: readonly string[]): string {
  const fields = 'minute hour day-of-month month day-of-week'
  if (written.length === 6)
    return `6 fields, but seconds and years are not supported: write five (${fields}), perhaps "${written.slice(1).join(' ')}"`
  if (written.length === 7)
    return `7 fields, but seconds and years are not supported: write five (${fields}), perhaps "${written.slice(1, 6).join(' ')}"`
  return `${written.length} field${written.length === 1 ? '' : 's'}: write five (${fields}), such as "0 2 * * 1-5"`
}
