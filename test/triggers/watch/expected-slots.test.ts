import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createNextSlot, owedSince, type Standing } from '../../../src/triggers/watch/expected-slots.ts'

const at = (time: string) => new Date(`2026-03-02T${time}:00Z`)
const row: Standing = { appliedAt: at('10:00'), pausedAt: null, resumedAt: null, removedAt: null }
const never = { isPaused: false, resumedAt: undefined }

describe('since when a routine owes its slots', () => {
  test.each([
    ['since it was put in force', row, never, at('10:00')],
    ['since it was resumed', { ...row, resumedAt: at('11:00') }, never, at('11:00')],
    ['since it was changed after that', { ...row, resumedAt: at('09:00') }, never, at('10:00')],
    ['since everything was resumed', row, { isPaused: false, resumedAt: at('12:00') }, at('12:00')],
    [
      'since it was put in force, whatever a clock that ran ahead wrote later',
      { ...row, resumedAt: at('14:00') },
      never,
      at('10:00'),
    ],
    ['always, if that clock wrote all', { ...row, appliedAt: at('14:00') }, never, new Date(0)],
    ['not while it is paused', { ...row, pausedAt: at('11:00') }, never, undefined],
    ['not while everything is', row, { isPaused: true, resumedAt: undefined }, undefined],
    ['not once it is gone', { ...row, removedAt: at('11:00') }, never, undefined],
  ] as const)('%s', (_, standing, whole, since) => {
    expect(owedSince(standing, whole, at('13:00'))).toEqual(since)
  })
})

describe('the next slot', () => {
  const nextSlot = createNextSlot()
  const hourly = { cron: '0 * * * *', timezone: 'UTC' }
  test('is the soonest of all schedules, and never the one asked from', () => {
    const schedules = [hourly, { cron: '30 2 * * *', timezone: 'Europe/Berlin' }]
    expect(nextSlot(schedules, at('01:00'))).toEqual(at('01:30'))
    expect(nextSlot(schedules, at('01:30'))).toEqual(at('02:00'))
    expect(nextSlot([], at('01:00'))).toBeUndefined()
  })

  test('asked on and on leaves no minute out', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(59), { minLength: 1, maxLength: 4 }), fc.nat(86_399_000), (minutes, ms) => {
        const schedules = minutes.map((minute) => ({ cron: `${minute} * * * *`, timezone: 'UTC' }))
        const from = at('00:00').getTime() + ms
        const found: number[] = []
        for (
          let next = nextSlot(schedules, new Date(from));
          next && next.getTime() <= from + 7_200_000;
          next = nextSlot(schedules, next)
        )
          found.push(next.getTime())
        const wanted = Array.from({ length: 121 }, (_, index) => Math.floor(from / 60_000) * 60_000 + index * 60_000)
        expect(found).toEqual(
          wanted.filter(
            (time) => time > from && time <= from + 7_200_000 && minutes.includes(new Date(time).getUTCMinutes()),
          ),
        )
      }),
      { numRuns: 30 },
    )
  })

  test('is the same whoever was asked before, for whichever instant', () => {
    const schedule = fc.constantFrom(
      hourly,
      { cron: '30 2 * * *', timezone: 'Europe/Berlin' },
      { cron: '30 2 * * *', timezone: 'UTC' },
      { cron: '0 0 29 2 *', timezone: 'UTC' },
    )
    const question = fc.tuple(fc.array(schedule, { maxLength: 3 }), fc.integer({ min: -3600, max: 90_000_000 }))
    fc.assert(
      fc.property(fc.array(question, { maxLength: 12 }), (questions) => {
        const shared = createNextSlot()
        for (const [schedules, seconds] of questions) {
          const after = new Date(at('01:00').getTime() + seconds * 1000)
          expect(shared(schedules, after)).toEqual(createNextSlot()(schedules, after))
        }
      }),
      { numRuns: 50 },
    )
  })
})
