import { z } from 'zod'
import { duration, millisecondsOf } from './duration.ts'
import type { Blackout, Pace } from '../routine.ts'

const clock = z
  .string('must be a time in quotes, such as "09:00"')
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as "09:00"')
const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const daysRule = 'must be days such as mon-fri or sat,sun'

const NotBetween = z
  .strictObject({
    from: clock.describe('From this time of day on.'),
    to: clock.describe('Until this time; one that is not later is of the next day.'),
    days: z
      .string(daysRule)
      .refine((days) => weekdaysOf(days) !== undefined, daysRule)
      .optional()
      .describe('Days on which it begins, such as mon-fri or sat,sun; default: every day.'),
  })
  .refine(({ from, to }) => from !== to, { path: ['to'], error: 'must not be the same time as from' })

export const PaceKeys = z
  .strictObject({
    jitter: duration.optional().describe('A slot starts up to this much later, always the same for the same slot.'),
    cooldown: duration.optional().describe('At least this long between the starts of two runs.'),
    max: z
      .strictObject({
        runs: z.number().int().min(1).max(10_000).describe('So many runs at most.'),
        per: duration.describe('Within this time.'),
      })
      .optional()
      .describe('More than these are skipped, and that is on record.'),
    not_between: z
      .array(NotBetween)
      .min(1)
      .optional()
      .describe('Hours, in the zone of its first schedule, in which no run starts; it starts at their end.'),
  })
  .refine((written) => !coversTheWeek(blackoutsOf(written.not_between ?? [])), {
    path: ['not_between'],
    error: 'leaves no minute of the week in which it may start',
  })
export type PaceKeys = z.output<typeof PaceKeys>

export function paceOf(written: PaceKeys | undefined, zone: string): Pace | null {
  if (written === undefined) return null
  const { jitter, cooldown, max, not_between: windows = [] } = written
  return {
    zone,
    jitterMs: jitter === undefined ? 0 : millisecondsOf(jitter),
    cooldownMs: cooldown === undefined ? 0 : millisecondsOf(cooldown),
    max: max === undefined ? null : { runs: max.runs, perMs: millisecondsOf(max.per) },
    notBetween: blackoutsOf(windows),
  }
}

function blackoutsOf(windows: readonly z.output<typeof NotBetween>[]): Blackout[] {
  return windows.map(({ from, to, days }) => {
    const [start, end] = [minutesOf(from), minutesOf(to)]
    const every = [0, 1, 2, 3, 4, 5, 6]
    return {
      days: days === undefined ? every : (weekdaysOf(days) ?? every),
      fromMinute: start,
      minutes: (end - start + 1440) % 1440,
    }
  })
}

function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
}

/** `mon-fri`, `sat,sun`, `fri-mon`: numbers with Sunday as 0; undefined = not understood. */
function weekdaysOf(text: string): number[] | undefined {
  const found = text
    .toLowerCase()
    .split(',')
    .map((part) => {
      const [first, last = first, ...rest] = part.trim().split('-')
      const [from, to] = [first, last].map((name) => dayNames.findIndex((day) => day === name))
      if (from === undefined || to === undefined || from < 0 || to < 0 || rest.length > 0) return undefined
      return Array.from({ length: ((to - from + 7) % 7) + 1 }, (_, index) => (from + index) % 7)
    })
  return found.every((days) => days !== undefined) ? [...new Set(found.flat())].toSorted((a, b) => a - b) : undefined
}

function coversTheWeek(windows: readonly Blackout[]): boolean {
  const week = 7 * 1440
  const blocked = new Uint8Array(week)
  for (const { days, fromMinute, minutes } of windows)
    for (const day of days)
      for (let minute = 0; minute < minutes; minute++) blocked[(day * 1440 + fromMinute + minute) % week] = 1
  return windows.length > 0 && blocked.every((minute) => minute === 1)
}
