import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CatchUp } from '../../../src/routines/routine.ts'
import { cronOf } from '../../../src/triggers/schedule/cron.ts'
import { dueSlots, owedFrom, type DueSlot, type OwedSchedule } from '../../../src/triggers/schedule/due-slots.ts'
import { firesIn } from './fires-in.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

type Downtime = {
  cron: string
  zone?: string
  from: string
  now: string
  maxAgeHours?: number
  cap?: number
} & Partial<Omit<CatchUp, 'maxAgeMs'>>

function settle({ cron, zone = 'UTC', from, now, maxAgeHours = 6, cap = 100, mode = 'last', max = 100 }: Downtime) {
  const schedules = [{ cron: cronOf(cron), zone, from: new Date(from) }]
  const catchUp: CatchUp = { mode, max, maxAgeMs: maxAgeHours * hourMs }
  const { slots, next } = dueSlots({ schedules, now: new Date(now), catchUp, cap })
  return { slots: slots.map(line), next: next[0]?.toISOString() }
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
    'none: what passed while nothing ran is missed',
    { cron: '0 * * * *', mode: 'none', from: '2026-11-21T02:00Z', now: '2026-11-21T04:01:00.001Z' },
    ['2026-11-21T02:00 no_catch_up', '2026-11-21T03:00 no_catch_up', '2026-11-21T04:00 no_catch_up'],
    '2026-11-21T05:00:00.000Z',
  ],
  [
    'none: a scheduler that is busy for a moment was not away',
    { cron: '* * * * *', mode: 'none', from: '2026-11-21T02:00Z', now: '2026-11-21T02:02:00Z' },
    ['2026-11-21T02:00 no_catch_up', '2026-11-21T02:01 fire', '2026-11-21T02:02 fire'],
    '2026-11-21T02:03:00.000Z',
  ],
  [
    'all: the newest as many as it may, unless they are too old',
    { cron: '0 * * * *', mode: 'all', max: 3, from: '2026-11-21T01:00Z', now: '2026-11-21T08:00Z', maxAgeHours: 5 },
    [
      '2026-11-21T01:00 max_age',
      '2026-11-21T02:00 max_age',
      '2026-11-21T03:00 catch_up_max',
      '2026-11-21T04:00 catch_up_max',
      '2026-11-21T05:00 catch_up_max',
      '2026-11-21T06:00 fire late',
      '2026-11-21T07:00 fire late',
      '2026-11-21T08:00 fire',
    ],
    '2026-11-21T09:00:00.000Z',
  ],
  [
    'a single instant that has passed, within max_age',
    { cron: '@at 2026-11-21T02:00', zone: 'Europe/Berlin', from: '2026-11-21T01:00Z', now: '2026-11-21T03:00Z' },
    ['2026-11-21T01:00 fire late'],
    undefined,
  ],
  [
    'a single instant that has long passed',
    { cron: '@at 2026-11-21T02:00Z', zone: 'Europe/Berlin', from: '2026-11-21T02:00Z', now: '2026-11-22T02:00Z' },
    ['2026-11-21T02:00 max_age'],
    undefined,
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

  test('several schedules of a routine have one rule: the newest of all is the last', () => {
    const schedules = ['0 2 * * *', '0 4 * * *', '0 */4 * * *'].map((cron) => ({
      cron: cronOf(cron),
      zone: 'UTC',
      from: new Date('2026-11-21T00:30Z'),
    }))
    const now = new Date('2026-11-21T05:00Z')
    const { slots, next } = dueSlots({ schedules, now, catchUp: { mode: 'last', maxAgeMs: dayMs, max: 1 } })
    expect(slots.map(line)).toEqual(['2026-11-21T02:00 catch_up', '2026-11-21T04:00 fire late'])
    expect(next.map((at) => at?.toISOString().slice(8, 16))).toEqual(['22T02:00', '22T04:00', '21T08:00'])
  })

  test('what is new owes from now on; what is written for one instant owes it though it has passed', () => {
    const now = new Date('2026-11-21T05:00Z')
    expect(owedFrom(cronOf('0 4 * * *'), 'UTC', now)).toEqual(new Date('2026-11-22T04:00Z'))
    expect(owedFrom(cronOf('@at 2026-03-29T02:30'), 'Europe/Berlin', now)).toEqual(new Date('2026-03-29T01:00Z'))
    expect(owedFrom(cronOf('@at 2026-10-25T02:30'), 'Europe/Berlin', now)).toEqual(new Date('2026-10-25T00:30Z'))
    expect(owedFrom(cronOf('@at 2026-10-25T01:30Z'), 'Europe/Berlin', now)).toEqual(new Date('2026-10-25T01:30Z'))
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
const downtime = fc
  .record({
    crons: fc.uniqueArray(crons, { minLength: 1, maxLength: 3 }),
    zone: zones,
    from: begins,
    lengthMs: fc.oneof(fc.integer({ min: 0, max: 3 * hourMs }), fc.integer({ min: 0, max: 2 * dayMs })),
    catchUp: fc.record({
      mode: fc.constantFrom('none', 'last', 'all'),
      maxAgeMs: fc.integer({ min: 0, max: 2 * dayMs }),
      max: fc.integer({ min: 1, max: 50 }),
    }),
  })
  .map(({ crons: texts, zone, from, lengthMs, catchUp }) => ({
    catchUp,
    from,
    lengthMs,
    now: new Date(from + lengthMs),
    schedules: texts.map((text) => ({ cron: cronOf(text), zone, from: new Date(from) })),
    cap: 100_000,
  }))

/** Every instant at which one of them is due, until now. */
function instantsOf({ schedules, now }: { schedules: OwedSchedule[]; now: Date }): string[] {
  const all = schedules.flatMap(({ cron, zone, from }) => firesIn(cron, zone, from, new Date(now.getTime() + 1)))
  return [...new Set(all)].toSorted()
}

describe('dueSlots, whatever the downtime', () => {
  test('each due instant is in it exactly once, in order, and those fire that the rule says', () => {
    fc.assert(
      fc.property(downtime, (down) => {
        const { slots, next } = dueSlots(down)
        expect(slots.map(({ at }) => at.toISOString())).toEqual(instantsOf(down))
        const ageOf = ({ at }: DueSlot) => down.now.getTime() - at.getTime()
        const young = slots.filter((slot) => ageOf(slot) <= down.catchUp.maxAgeMs)
        const expected = {
          none: young.filter((slot) => ageOf(slot) <= minuteMs),
          last: young.slice(-1),
          all: young.slice(-down.catchUp.max),
        }[down.catchUp.mode]
        expect(slots.filter(({ outcome }) => outcome === 'fire')).toEqual(expected)
        expect(slots.every((slot) => slot.late === (slot.outcome === 'fire' && ageOf(slot) > minuteMs))).toBe(true)
        expect(next.every((at) => at && at > down.now)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  test('split at any point in time it names the same instants, each once', () => {
    fc.assert(
      fc.property(
        downtime,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
        (down, fractions) => {
          const whole = dueSlots(down)
          const seen: string[] = []
          let schedules = down.schedules
          // Not sorted: a clock may also go back.
          for (const fraction of [...fractions, 1]) {
            const now = new Date(down.from + Math.floor(down.lengthMs * fraction))
            const { slots, next } = dueSlots({ ...down, schedules, now })
            seen.push(...slots.map(({ at }) => at.toISOString()))
            schedules = schedules.map((schedule, index) => ({ ...schedule, from: next[index] ?? new Date(NaN) }))
          }
          expect(seen).toEqual(whole.slots.map(({ at }) => at.toISOString()))
          expect(schedules.map(({ from }) => from)).toEqual(whole.next)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('with a cap the newest are the same, and one row more says that there were others', () => {
    fc.assert(
      fc.property(downtime, fc.integer({ min: 1, max: 50 }), (down, cap) => {
        const all = dueSlots(down)
        const capped = dueSlots({ ...down, cap })
        const summary = all.slots
          .slice(0, 1)
          .map(({ at }) => ({ at, outcome: 'missed', reason: 'unlisted', late: false }))
        expect(capped.slots).toEqual(all.slots.length <= cap ? all.slots : [...summary, ...all.slots.slice(-cap)])
        expect(capped.next).toEqual(all.next)
      }),
      { numRuns: 50 },
    )
  })
})
