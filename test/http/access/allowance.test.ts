import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createAllowance } from '../../../src/http/access/allowance.ts'

const settings = { burst: 3, perSecond: 2, mostKeys: 2 }
function open(more: Partial<typeof settings> = {}) {
  const clock = { now: 1_000_000 }
  return { clock, allowance: createAllowance({ ...settings, ...more }, () => clock.now) }
}

test('so many at once, then so many a second', () => {
  const { clock, allowance } = open()
  expect([1, 2, 3, 4].map(() => allowance.take('a'))).toEqual([0, 0, 0, 500])
  clock.now += 499
  expect(allowance.take('a')).toBe(2)
  clock.now += 2
  expect([allowance.take('a'), allowance.take('a')]).toEqual([0, 499])
})

test('one key takes nothing from another', () => {
  const { allowance } = open()
  for (let index = 0; index < 10; index += 1) allowance.take('a')
  expect(allowance.take('b')).toBe(0)
})

test('of too many keys the one unused for longest is forgotten', () => {
  const { allowance } = open({ burst: 1 })
  allowance.take('a')
  allowance.take('b')
  expect(allowance.take('a')).toBe(500)
  allowance.take('c')
  expect([allowance.take('a'), allowance.take('b')]).toEqual([500, 0])
})

test('a clock that is set back gives nothing and takes nothing', () => {
  const { clock, allowance } = open({ burst: 1 })
  allowance.take('a')
  clock.now -= 3_600_000
  expect(allowance.take('a')).toBe(500)
  clock.now += 600
  expect(allowance.take('a')).toBe(0)
})

test('over any while no more is granted than the burst and what came meanwhile', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 700 }), { maxLength: 200 }), (pauses) => {
      const { clock, allowance } = open()
      const began = clock.now
      const granted = pauses.filter((pause) => {
        clock.now += pause
        return allowance.take('a') === 0
      }).length
      expect(granted).toBeLessThanOrEqual(3 + ((clock.now - began) / 1000) * 2)
    }),
  )
})
