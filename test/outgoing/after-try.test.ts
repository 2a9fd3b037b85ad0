import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { afterTry, type Tried } from '../../src/outgoing/after-try.ts'

const now = new Date('2026-11-21T16:00:00Z')
const [minute, hour] = [60_000, 3_600_000]
const after = (tried: Tried, tries = 1, chance = 0) => afterTry(tried, { tries, chance, now })
const answered = fc.record({
  status: fc.integer({ min: 100, max: 599 }),
  retryAfter: fc.option(fc.string(), { nil: undefined }),
})
const tried = fc.oneof(answered, fc.record({ failed: fc.string() }))
const chance = fc.double({ min: 0, max: 1, noNaN: true })

describe('after a try', () => {
  test.each([200, 201, 202, 204, 299])('%i is taken', (status) => {
    expect(after({ status })).toEqual({ act: 'sent' })
    expect(after({ status }, 10)).toEqual({ act: 'sent' })
  })

  test.each([
    [301, 'it answered 301; redirects are not followed'],
    [400, 'it answered 400'],
    [429, 'it answered 429'],
    [500, 'it answered 500'],
  ])('%i is tried again', (status, error) => {
    expect(after({ status })).toEqual({ act: 'later', inMs: 5000, error })
  })

  test('410 wants no more, whatever the try', () => {
    expect(after({ status: 410 })).toEqual({ act: 'give_up', error: 'it answered 410: it wants no more' })
  })

  test('ten tries in three days, each wait longer than the one before', () => {
    const waits = Array.from({ length: 9 }, (_, index) => after({ failed: 'no answer' }, index + 1))
    const ms = waits.map((next) => (next.act === 'later' ? next.inMs : 0))
    expect(ms).toEqual([5000, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour])
    const sum = ms.reduce((all, one) => all + one, 0)
    expect(Math.round(sum / hour)).toBe(76)
    expect(after({ failed: 'no answer' }, 10)).toEqual({ act: 'give_up', error: 'no answer, after 10 tries' })
  })

  test.each([
    ['60', 60_000],
    ['3', 5000],
    ['Sat, 21 Nov 2026 16:10:00 GMT', 10 * minute],
    ['Sat, 21 Nov 2026 15:00:00 GMT', 5000],
    ['99999999999', 24 * hour],
    ['soon', 5000],
    ['-1', 5000],
  ])('Retry-After: %s', (retryAfter, inMs) => {
    expect(after({ status: 503, retryAfter })).toMatchObject({ act: 'later', inMs })
  })

  test('whatever it said: taken, given up, or a wait between 5 s and 27 h with a reason', () => {
    fc.assert(
      fc.property(tried, fc.integer({ min: 1, max: 20 }), chance, (said, tries, chance) => {
        const next = after(said, tries, chance)
        const isTaken = 'status' in said && said.status >= 200 && said.status < 300
        expect(next.act === 'sent').toBe(isTaken)
        const inMs = next.act === 'later' ? next.inMs : 5000
        expect(inMs).toBeGreaterThanOrEqual(5000)
        expect(inMs).toBeLessThanOrEqual(27 * hour)
        expect(next.act === 'later' && tries >= 10).toBe(false)
      }),
    )
  })
})
