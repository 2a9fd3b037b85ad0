import { quoted } from '../format.ts'

const example = '2026-12-01T09:00'
const form = /^(\d{4}-\d\d-\d\d)[T ](\d{1,2}:\d\d)(?::(\d\d))?(Z|[+-]\d\d:?\d\d)?$/i

/**
 * A single time, as the ledger keeps it: `@at 2026-12-01T09:00` is that wall time in the schedule's zone; with an offset it is an
 * instant, kept with a `Z`. Or what is wrong with it and what to write instead.
 */
export function readOneOff(written: string): { cron: string } | { error: string } {
  const [, date, clock = '', seconds = '00', offset] = form.exec(written.trim()) ?? []
  const refuse = (why: string) => ({ error: `${quoted(written)} ${why}` })
  if (date === undefined) return refuse(`is not a date and time: write ${example}`)
  if (seconds !== '00') return refuse(`has seconds, which are not supported: write ${date}T${clock}`)
  const wall = `${date}T${clock.padStart(5, '0')}`
  if (!isInCalendar(wall)) return refuse(`is not in the calendar: write a date and a time such as ${example}`)
  if (!/^2\d/.test(date)) return refuse('is of another millennium: write a year from 2000 on')
  if (offset === undefined) return { cron: `@at ${wall}` }
  const instant = new Date(`${wall}:00${offset.replace(/(\d\d):?(\d\d)/, '$1:$2')}`)
  if (Number.isNaN(instant.getTime())) return refuse('has an offset that no clock has: write one such as +02:00')
  return { cron: `@at ${instant.toISOString().slice(0, 16)}Z` }
}

/** Date.parse takes 30 February for 1 March. */
function isInCalendar(wall: string): boolean {
  const time = new Date(`${wall}Z`)
  return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 16) === wall
}
