import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import type { Occasion } from '../../src/runs/occasion.ts'
import { afterBlackouts, isTooMany, paceOf } from '../../src/runs/pace.ts'

const now = new Date('2026-03-02T12:00:00Z')
const none = { lastStart: undefined, begun: 0 }
const routine = (pace: object, more: object = {}) => {
  const keys = { repository: './shop', engine: { name: 'command', command: ['true'] }, pace, ...more }
  const lines = Object.entries(keys).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
  return parseOrRefuse('/routines/a.md', `---\n${lines.join('')}---\n`, {
    defaultEngine: 'command',
    checkSchedule: () => undefined,
    timezone: 'Europe/Berlin',
  })
}
const occasion = (pace: object, more: Partial<Occasion> & { keys?: object } = {}): Occasion => {
  const { keys = {}, ...rest } = more
  return { routine: routine(pace, keys), trigger: 'api', key: 'k', inputs: {}, by: 'test', ...rest }
}
const after = (minutes: number) => new Date(now.getTime() + minutes * 60_000)

describe('a run that is begun', () => {
  test('without rules may start at once', () => {
    expect(paceOf(occasion({}), now, none)).toEqual({ notBefore: now, waitsFor: null })
  })

  test('waits for the cooldown of the one before, and no longer', () => {
    const wanted = occasion({ cooldown: '30m' })
    expect(paceOf(wanted, now, { ...none, lastStart: after(-10) })).toEqual({
      notBefore: after(20),
      waitsFor: 'the cooldown of its routine',
    })
    expect(paceOf(wanted, now, { ...none, lastStart: after(20) }).notBefore).toEqual(after(50))
    expect(paceOf(wanted, now, { ...none, lastStart: after(-30) })).toEqual({ notBefore: now, waitsFor: null })
  })

  test('waits for the end of the hours it may not start in, also when something else moved it there', () => {
    const hours = { not_between: [{ from: '13:30', to: '17:00' }] }
    // 12:00 UTC is 13:00 in Berlin.
    expect(paceOf(occasion(hours), now, none)).toEqual({ notBefore: now, waitsFor: null })
    const cooled = paceOf(occasion({ ...hours, cooldown: '45m' }), now, { ...none, lastStart: now })
    expect(cooled.notBefore).toEqual(new Date('2026-03-02T16:00:00Z'))
    expect(cooled.waitsFor).toMatch(/hours in which its routine may not start/)
  })

  test('for a slot starts at that slot’s own moment within the jitter, a late one at once', () => {
    const at = (slotAt: Date) => paceOf(occasion({ jitter: '10m' }, { trigger: 'schedule', slotAt }), now, none)
    const first = at(now)
    expect(at(now)).toEqual(first)
    expect(first.notBefore.getTime()).toBeGreaterThanOrEqual(now.getTime())
    expect(first.notBefore.getTime()).toBeLessThan(after(10).getTime())
    expect(at(after(-60)).notBefore).toEqual(now)
    expect(paceOf(occasion({ jitter: '10m' }), now, none).notBefore).toEqual(now)
  })

  test('slots are spread over the whole jitter', () => {
    const delays = Array.from({ length: 400 }, (_, index) => {
      const slotAt = after(index + 1)
      return paceOf(occasion({ jitter: '10m' }, { slotAt }), now, none).notBefore.getTime() - slotAt.getTime()
    })
    const tenths = new Set(delays.map((ms) => Math.floor(ms / 60_000)))
    expect([...tenths].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('in person waits for nothing and is never too many', () => {
    const strict = { cooldown: '1d', max: { runs: 1, per: '1d' }, not_between: [{ from: '00:00', to: '23:59' }] }
    for (const trigger of ['manual', 'retry', 'backfill'] as const) {
      const asked = occasion(strict, { trigger })
      expect(paceOf(asked, now, { lastStart: now, begun: 9 }).notBefore).toEqual(now)
      expect(isTooMany(asked, { begun: 9 })).toBe(false)
    }
  })

  test('is too many when as many were begun as are allowed', () => {
    const wanted = occasion({ max: { runs: 2, per: '1d' } })
    expect([0, 1, 2, 3].map((begun) => isTooMany(wanted, { begun }))).toEqual([false, false, true, true])
    expect(isTooMany(occasion({}), { begun: 99 })).toBe(false)
  })

  test('waits for more events and for its pace, whichever is longer', () => {
    const keys = { debounce: { wait: '2m' } }
    const both = occasion({ cooldown: '30m' }, { keys })
    expect(paceOf(both, now, { ...none, lastStart: after(-29) }).waitsFor).toMatch(/more events/)
    expect(paceOf(both, now, { ...none, lastStart: after(-20) }).waitsFor).toMatch(/cooldown/)
  })
})

describe('hours in which nothing starts', () => {
  const rules = (not_between: object[]) => routine({ not_between }).pace!
  const clear = (windows: object[], at: string) =>
    new Date(afterBlackouts(rules(windows), Date.parse(at))).toISOString()
  test.each([
    ['before', [{ from: '09:00', to: '17:00' }], '2026-03-02T07:59:00Z', '2026-03-02T07:59:00.000Z'],
    ['at their first instant', [{ from: '09:00', to: '17:00' }], '2026-03-02T08:00:00Z', '2026-03-02T16:00:00.000Z'],
    ['at their last', [{ from: '09:00', to: '17:00' }], '2026-03-02T15:59:59.999Z', '2026-03-02T16:00:00.000Z'],
    ['after', [{ from: '09:00', to: '17:00' }], '2026-03-02T16:00:00Z', '2026-03-02T16:00:00.000Z'],
    [
      'on another day',
      [{ from: '09:00', to: '17:00', days: 'mon-fri' }],
      '2026-03-01T10:00:00Z',
      '2026-03-01T10:00:00.000Z',
    ],
    ['over midnight', [{ from: '22:00', to: '06:00' }], '2026-03-02T02:00:00Z', '2026-03-02T05:00:00.000Z'],
    [
      'over midnight of their day',
      [{ from: '22:00', to: '06:00', days: 'mon' }],
      '2026-03-03T02:00:00Z',
      '2026-03-03T05:00:00.000Z',
    ],
    [
      'over midnight of another day',
      [{ from: '22:00', to: '06:00', days: 'mon' }],
      '2026-03-02T02:00:00Z',
      '2026-03-02T02:00:00.000Z',
    ],
    [
      'one after the other',
      [
        { from: '09:00', to: '12:00' },
        { from: '12:00', to: '17:00' },
      ],
      '2026-03-02T09:00:00Z',
      '2026-03-02T16:00:00.000Z',
    ],
    // 29 March 2026: 02:00 to 03:00 does not exist in Berlin. 25 October: 02:00 to 03:00 comes twice.
    ['that begin in a gap', [{ from: '02:30', to: '04:00' }], '2026-03-29T01:00:00Z', '2026-03-29T02:00:00.000Z'],
    ['that end in a gap', [{ from: '01:00', to: '02:30' }], '2026-03-29T00:30:00Z', '2026-03-29T01:00:00.000Z'],
    ['whose end comes twice', [{ from: '01:00', to: '02:30' }], '2026-10-25T00:00:00Z', '2026-10-25T00:30:00.000Z'],
    [
      'that come twice, the second time',
      [{ from: '02:00', to: '02:30' }],
      '2026-10-25T01:10:00Z',
      '2026-10-25T01:30:00.000Z',
    ],
  ] as const)('%s', (_, windows, at, wanted) => {
    expect(clear([...windows], at)).toBe(wanted)
  })

  test('leave a run where it is or move it to the first clear minute, never past one', () => {
    const time = fc.nat(1439).map((minute) => new Date(minute * 60_000).toISOString().slice(11, 16))
    const window = fc.record({ from: time, to: time }).filter(({ from, to }) => from !== to)
    const at = fc.date({ min: new Date('2026-01-01'), max: new Date('2027-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(window, at, (written, date) => {
        const pace = rules([written])
        const found = afterBlackouts(pace, date.getTime())
        const wall = (ms: number) =>
          new Date(ms).toLocaleTimeString('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' })
        const isIn = (ms: number) => {
          const clock = wall(ms)
          const { from, to } = written
          return from < to ? clock >= from && clock < to : clock >= from || clock < to
        }
        expect(isIn(found)).toBe(false)
        for (let before = date.getTime(); before < found; before += 600_000) expect(isIn(before)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
})
