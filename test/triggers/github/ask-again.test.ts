import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { choose, type Attempt } from '../../../src/triggers/github/ask-again.ts'

const now = new Date('2026-03-05T12:00:00Z')
const attempt = (guid: string, minutesAgo: number, more: Partial<Attempt> = {}): Attempt => ({
  id: `${guid} ${minutesAgo}`,
  guid,
  deliveredAt: new Date(now.getTime() - minutesAgo * 60_000),
  event: 'push',
  isOk: false,
  ...more,
})
const chosen = (attempts: Attempt[], ...known: string[]) => choose(attempts, new Set(known), now).map(({ id }) => id)

describe('what is asked for again', () => {
  test.each<[string, Attempt[], string[], string[]]>([
    ['one that failed', [attempt('a', 5)], [], ['a 5']],
    ['one that is on record, whatever GitHub heard', [attempt('a', 5)], ['a'], []],
    ['one that a later attempt delivered', [attempt('a', 5, { isOk: true }), attempt('a', 60)], [], []],
    ['of several attempts the last', [attempt('a', 60), attempt('a', 30), attempt('a', 90)], [], ['a 30']],
    ['one that GitHub has forgotten', [attempt('a', 3 * 1440 + 1)], [], []],
    ['one that failed five times', [1, 2, 3, 4, 5].map((hours) => attempt('a', hours * 60)), [], []],
    ['each of several', [attempt('a', 5), attempt('b', 6), attempt('c', 7)], ['b'], ['a 5', 'c 7']],
  ])('%s', (_, attempts, known, expected) => expect(chosen(attempts, ...known)).toEqual(expected))

  test('is no delivery twice, and none that arrived', () => {
    const any = fc.record({
      guid: fc.constantFrom('a', 'b', 'c'),
      minutes: fc.integer({ min: 0, max: 6000 }),
      isOk: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(any, { maxLength: 30 }), fc.subarray(['a', 'b', 'c']), (all, known) => {
        const attempts = all.map(({ guid, minutes, isOk }) => attempt(guid, minutes, { isOk }))
        const again = choose(attempts, new Set(known), now)
        expect(new Set(again.map(({ guid }) => guid)).size).toBe(again.length)
        for (const { guid } of again) {
          expect(known).not.toContain(guid)
          expect(attempts.some((one) => one.guid === guid && one.isOk)).toBe(false)
        }
      }),
    )
  })
})
