import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cronOf } from '../../../src/triggers/schedule/cron.ts'
import { dueSlots, type DueSlot } from '../../../src/triggers/schedule/due-slots.ts'
import { firesIn } from './fires-in.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

type Downtime = { cron: string; zone?: string; from: string; now: string; maxAgeHours?: number; cap?: number }

function settle({ cron, zone = 'UTC', from, now, maxAgeHours = 6, cap = 100 }: Downtime) {
  const catchUp = { mode: 'last' as const, maxAgeMs: maxAgeHours * hourMs }
  const { slots, next } = dueSlots({ cron: cronOf(cron), zone, from: new Date(from), now: new Date(now), catchUp, cap })
  return { slots: slots.map(line), next: next?.toISOString() }
}

function line(slot: DueSlot): string {
  return [slot.at.toISOString().slice(0, 16), slot.reason ?? slot.outcome, ...(slot.late ? ['late'] : [])].join(' ')
}

const table: [what: string, downtime: Downtime, slots: string[], next: string | undefined][] = [
  [
    'nothing is due yet',
    { cron: '0 2 * * *', from: '2026-11-21T02:00Z', now: '2026-11-21T01:59:59.999Z' },
    [],
    '2026-11-21T02:00:00.000Z',
  ],
  [
    'due at this very instant',
    { cron: '0 2 * * *', from: '2026-11-21T02:00Z', now: '2026-11-21T02:00Z' },
    ['2026-11-21T02:00 fire'],
    '2026-11-22T02:00:00.000Z',
  ],
  [
    'a minute behind is not late',
    { cron: '0 2 * * *', from: '2026-11-21T02:00Z', now: '2026-11-21T02:01Z' },
    ['2026-11-21T02:00 fire'],
    '2026-11-22T02:00:00.000Z',
  ],
  [
    'more than a minute behind is late',
    { cron: '0 2 * * *', from: '2026-11-21T02:00Z', now: '2026-11-21T02:01:00.001Z' },
    ['2026-11-21T02:00 fire late'],
    '2026-11-22T02:00:00.000Z',
  ],
  [
    'after a short sleep only the newest fires',
    { cron: '0 * * * *', from: '2026-11-21T02:00Z', now: '2026-11-21T05:10Z' },
    [
      '2026-11-21T02:00 catch_up',
      '2026-11-21T03:00 catch_up',
      '2026-11-21T04:00 catch_up',
      '2026-11-21T05:00 fire late',
    ],
    '2026-11-21T06:00:00.000Z',
  ],
  [
    'too old is missed for its age, whatever else it is',
    { cron: '0 */3 * * *', from: '2026-11-21T00:00Z', now: '2026-11-21T10:00Z' },
    ['2026-11-21T00:00 max_age', '2026-11-21T03:00 max_age', '2026-11-21T06:00 catch_up', '2026-11-21T09:00 fire late'],
    '2026-11-21T12:00:00.000Z',
  ],
  [
    'the newest may be too old as well',
    { cron: '0 2 * * *', from: '2026-11-20T02:00Z', now: '2026-11-21T08:00:00.001Z' },
    ['2026-11-20T02:00 max_age', '2026-11-21T02:00 max_age'],
    '2026-11-22T02:00:00.000Z',
  ],
  [
    'exactly max_age old still fires',
    { cron: '0 2 * * *', from: '2026-11-21T02:00Z', now: '2026-11-21T08:00Z' },
    ['2026-11-21T02:00 fire late'],
    '2026-11-22T02:00:00.000Z',
  ],
  [
    'a clock that went back owes nothing twice',
    { cron: '0 * * * *', from: '2026-11-21T06:00Z', now: '2026-11-20T00:00Z' },
    [],
    '2026-11-21T06:00:00.000Z',
  ],
  [
    'an instant that is no due one is where the search begins',
    { cron: '0 2 * * *', from: '2026-11-20T12:34:56Z', now: '2026-11-21T02:00:01Z' },
    ['2026-11-21T02:00 fire'],
    '2026-11-22T02:00:00.000Z',
  ],
  [
    'a night without two o’clock',
    { cron: '30 2 * * *', zone: 'America/New_York', from: '2026-03-08T07:00Z', now: '2026-03-08T07:00:10Z' },
    ['2026-03-08T07:00 fire'],
    '2026-03-09T06:30:00.000Z',
  ],
  [
    'more than the cap: one row stands for the older ones',
    { cron: '* * * * *', from: '2025-11-21T00:00Z', now: '2026-11-21T00:00Z', cap: 3 },
    ['2025-11-21T00:00 unlisted', '2026-11-20T23:58 catch_up', '2026-11-20T23:59 catch_up', '2026-11-21T00:00 fire'],
    '2026-11-21T00:01:00.000Z',
  ],
  [
    'exactly the cap needs no such row',
    { cron: '0 * * * *', from: '2026-11-21T00:00Z', now: '2026-11-21T02:30Z', cap: 3 },
    ['2026-11-21T00:00 catch_up', '2026-11-21T01:00 catch_up', '2026-11-21T02:00 fire late'],
    '2026-11-21T03:00:00.000Z',
  ],
  [
    'a date that has passed for ever leaves nothing to wait for',
    { cron: '0 0 29 2 *', from: '9996-01-01T00:00Z', now: '9997-01-01T00:00Z' },
    [],
    undefined,
  ],
]

describe('dueSlots', () => {
  test.each(table)('%s', (...[, downtime, slots, next]) => {
    expect(settle(downtime)).toEqual({ slots, next })
  })

  // Listing every slot of those years would take minutes.
  test('twenty years asleep with a routine of every minute: bounded work and rows, and the first row says so', () => {
    const { slots } = settle({
      cron: '* * * * *',
      zone: 'Europe/Berlin',
      from: '2006-11-21T00:00Z',
      now: '2026-11-21T00:00Z',
      cap: 10_000,
    })
    expect(slots).toHaveLength(10_001)
    expect(slots[0]).toBe('2006-11-21T00:00 unlisted')
    expect(slots[1]).toBe('2026-11-14T01:21 max_age')
    expect(slots.at(-1)).toBe('2026-11-21T00:00 fire')
  })

  test('slots that fill the rows exactly do not hide that there are older ones', () => {
    const { slots } = settle({
      cron: '* * * * *',
      from: '2026-11-01T00:00Z',
      now: '2026-11-21T00:00Z',
      cap: 7 * 24 * 60,
    })
    expect(slots).toHaveLength(7 * 24 * 60 + 1)
    expect(slots[0]).toBe('2026-11-01T00:00 unlisted')
  })

  test('a routine asleep for ten years that is seldom due is listed whole', () => {
    const { slots } = settle({
      cron: '0 2 1 * *',
      zone: 'Europe/Berlin',
      from: '2016-11-21T00:00Z',
      now: '2026-11-21T00:00Z',
      cap: 10_000,
    })
    expect(slots).toHaveLength(120)
    expect(slots.every((slot) => slot.endsWith('max_age'))).toBe(true)
  })
})

const zones = fc.constantFrom('UTC', 'America/New_York', 'Asia/Beirut', 'Australia/Lord_Howe', 'Africa/Casablanca')
const crons = fc.constantFrom(
  '* * * * *',
  '*/7 * * * *',
  '0 * * * *',
  '30 2 * * *',
  '0,30 1-3 * * *',
  '0 0 * * SUN',
  '15 23 13 * 5',
)
/** Half of them on a day on which some of these zones change their clocks. */
const begins = fc.oneof(
  fc
    .constantFrom(
      '2026-03-08T00:00Z',
      '2026-11-01T00:00Z',
      '2026-03-28T12:00Z',
      '2026-10-24T12:00Z',
      '2026-02-14T20:00Z',
    )
    .map((at) => Date.parse(at)),
  fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) }),
)
const downtime = fc.record({
  cron: crons,
  zone: zones,
  from: begins,
  lengthMs: fc.oneof(fc.integer({ min: 0, max: 3 * hourMs }), fc.integer({ min: 0, max: 2 * dayMs })),
  maxAgeMs: fc.integer({ min: 0, max: 2 * dayMs }),
})

describe('dueSlots, whatever the downtime', () => {
  test('each due instant is in it exactly once, in order, and at most one fires: the newest', () => {
    fc.assert(
      fc.property(downtime, ({ cron: text, zone, from, lengthMs, maxAgeMs }) => {
        const cron = cronOf(text)
        const now = new Date(from + lengthMs)
        const { slots, next } = dueSlots({
          cron,
          zone,
          from: new Date(from),
          now,
          catchUp: { mode: 'last', maxAgeMs },
          cap: 100_000,
        })
        expect(slots.map(({ at }) => at.toISOString())).toEqual(
          firesIn(cron, zone, new Date(from), new Date(now.getTime() + 1)),
        )
        expect(slots.slice(0, -1).filter(({ outcome }) => outcome === 'fire')).toEqual([])
        for (const { at, outcome } of slots.slice(-1))
          expect(outcome === 'fire').toBe(now.getTime() - at.getTime() <= maxAgeMs)
        expect(next && next > now).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  test('split at any point in time it names the same instants, each once', () => {
    fc.assert(
      fc.property(
        downtime,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
        (down, fractions) => {
          const { cron: text, zone, from, lengthMs, maxAgeMs } = down
          const settled = (since: Date, now: Date) =>
            dueSlots({ cron: cronOf(text), zone, from: since, now, catchUp: { mode: 'last', maxAgeMs }, cap: 100_000 })
          const whole = settled(new Date(from), new Date(from + lengthMs))
          const seen: string[] = []
          let since: Date | undefined = new Date(from)
          // Not sorted: a clock may also go back.
          for (const fraction of [...fractions, 1]) {
            const { slots, next } = settled(since ?? new Date(NaN), new Date(from + Math.floor(lengthMs * fraction)))
            seen.push(...slots.map(({ at }) => at.toISOString()))
            since = next
          }
          expect(seen).toEqual(whole.slots.map(({ at }) => at.toISOString()))
          expect(since).toEqual(whole.next)
        },
      ),
      { numRuns: 100 },
    )
  })

  test('with a cap the newest are the same, and one row more says that there were others', () => {
    fc.assert(
      fc.property(downtime, fc.integer({ min: 1, max: 50 }), ({ cron: text, zone, from, lengthMs, maxAgeMs }, cap) => {
        const owed = {
          cron: cronOf(text),
          zone,
          from: new Date(from),
          now: new Date(from + lengthMs),
          catchUp: { mode: 'last', maxAgeMs },
        } as const
        const all = dueSlots({ ...owed, cap: 100_000 })
        const capped = dueSlots({ ...owed, cap })
        const summary = all.slots
          .slice(0, 1)
          .map(({ at }) => ({ at, outcome: 'missed', reason: 'unlisted', late: false }))
        expect(capped.slots).toEqual(all.slots.length <= cap ? all.slots : [...summary, ...all.slots.slice(-cap)])
        expect(capped.next).toEqual(all.next)
      }),
      { numRuns: 100 },
    )
  })
})
