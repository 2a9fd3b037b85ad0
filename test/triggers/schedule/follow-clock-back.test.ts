import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cronOf } from '../../../src/triggers/schedule/cron.ts'
import { passedOver } from '../../../src/triggers/schedule/follow-clock-back.ts'
import { nextFire } from '../../../src/triggers/schedule/next-fire.ts'

const now = new Date('2026-03-02T10:02:00Z')
const at = (time: string) => new Date(`${time}:00Z`)
const hourly = { cron: '0 * * * *', timezone: 'UTC' }

describe('a schedule that stands', () => {
  test.each([
    ['at its next instant', hourly, at('2026-03-02T11:00'), undefined],
    ['before it, as it is overdue', hourly, at('2026-03-02T09:00'), undefined],
    ['one instant after it', hourly, at('2026-03-02T12:00'), at('2026-03-02T11:00')],
    ['a year after it', hourly, at('2027-03-02T11:00'), at('2026-03-02T11:00')],
    ['nowhere, though it is to come', hourly, null, at('2026-03-02T11:00')],
    [
      'somewhere, though nothing is to come',
      { cron: '0 0 31 2 *', timezone: 'UTC' },
      at('2027-03-02T11:00'),
      undefined,
    ],
    ['nowhere, and is not understood', { cron: '0 0 L * *', timezone: 'UTC' }, null, undefined],
    ['nowhere, in no zone', { cron: '0 0 * * *', timezone: 'Mars/Olympus' }, null, undefined],
  ] as const)('%s', (_, times, last, next) => {
    expect(passedOver({ ...times, last }, now)).toEqual(next ? [{ ...times, next }] : [])
  })
})

const times = fc.record({
  cron: fc.constantFrom('* * * * *', '*/5 * * * *', '30 2 * * *', '0 1-3 * * 0', '15 */6 1,15 * *', '0 0 29 2 *'),
  timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia'),
})
// Of ten years, with all their changes of clocks.
const instant = fc.integer({ min: Date.UTC(2020), max: Date.UTC(2030) }).map((ms) => new Date(ms))

test('one that was looked at before stays as it is; after a look in time to come it is due as if that had not been', () => {
  fc.assert(
    fc.property(times, instant, instant, ({ cron, timezone }, one, other) => {
      const [earlier, later] = one < other ? [one, other] : [other, one]
      const from = (time: Date) => nextFire(cronOf(cron), timezone, time)!
      expect(passedOver({ cron, timezone, last: from(earlier) }, later)).toEqual([])
      const pulled = passedOver({ cron, timezone, last: from(later) }, earlier)
      expect(pulled[0]?.next ?? from(later)).toEqual(from(earlier))
    }),
    { numRuns: 300 },
  )
})
