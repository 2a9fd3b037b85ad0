import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createPace } from '../../../src/routines/library/pace.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

function dueAfterMs(everyMs: number, tookMs: number): number {
  const pace = createPace(everyMs)
  expect(pace.isDue()).toBe(true)
  const look = pace.begin()
  vi.advanceTimersByTime(tookMs)
  look[Symbol.dispose]()
  let waited = 0
  for (; !pace.isDue(); waited += 100) vi.advanceTimersByTime(100)
  return tookMs + waited
}

test('looking takes a four hundredth of the time, and a look is never a minute away', () => {
  expect(dueAfterMs(0, 0)).toBe(0)
  expect(dueAfterMs(0, 10)).toBeCloseTo(4010, -2)
  expect(dueAfterMs(0, 75)).toBeCloseTo(30_000, -3)
  expect(dueAfterMs(0, 5000)).toBeCloseTo(60_000, -3)
})

test('a source that wants to be asked seldom is', () => {
  expect(dueAfterMs(60_000, 10)).toBeCloseTo(60_000, -3)
})
