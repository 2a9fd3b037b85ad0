import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { steadyAfter, type Look, type Steady } from '../../../src/triggers/watch/steady.ts'

const every = 15_000
const before: Steady = { since: 0, last: { own: 600_000, ledger: 1_000_000_000 } }
const after = (ownMs: number, ledgerMs = ownMs): Look => ({ own: 600_000 + ownMs, ledger: 1_000_000_000 + ledgerMs })
const sinceAfter = (looks: readonly Look[]) =>
  looks.reduce<Steady | undefined>((steady, look) => steadyAfter(steady, look, every), undefined)!.since

describe('a watch that has looked for a while', () => {
  test.each([
    ['goes on', after(15_000), false],
    ['goes on though a look was left out', after(30_000), false],
    ['goes on though the clocks drift', after(15_000, 19_000), false],
    ['begins anew when it stood still itself', after(120_000), true],
    ['begins anew after the machine slept, when its own clock stood still', after(15_000, 8 * 3_600_000), true],
    ['begins anew when the ledger’s clock was set forward', after(15_000, 75_000), true],
    ['begins anew when the ledger’s clock was set back', after(15_000, -45_000), true],
  ] as const)('%s', (_, look, isNew) => {
    expect(steadyAfter(before, look, every)).toEqual({ since: isNew ? look.own : 0, last: look })
  })

  test('begins with its first look', () => {
    expect(steadyAfter(undefined, after(0), every)).toEqual({ since: 600_000, last: after(0) })
  })

  test('is as old as the last break, wherever that was', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 6000 }), (calm, later, jump) => {
        const looks = Array.from({ length: calm + later + 1 }, (_, index) => ({
          own: index * every,
          ledger: index * every + (index > calm ? jump : 0),
        }))
        expect(sinceAfter(looks)).toBe((calm + 1) * every)
      }),
    )
  })
})
