import { describe, expect, test } from 'vitest'
import { spentBefore } from '../../src/runs/endings.ts'
import { createSpending, leftOf } from '../../src/runs/spending.ts'

const usage = (input: number) => ({ input, output: 1, cacheRead: 0, cacheWrite: 0 })
const cost = (amount: number) => ({
  sessionUpdate: 'usage_update' as const,
  cost: { amount, currency: 'USD' as const },
})

test('each use is saved while the agent still works, one save at a time, on top of what earlier attempts spent', async () => {
  const saves: unknown[] = []
  const slow = Promise.withResolvers<void>()
  const spending = createSpending(
    { costUsd: 1, tokens: { input: 10, output: 1, cacheRead: 0, cacheWrite: 0 } },
    (bill) => {
      saves.push(bill)
      return saves.length === 1 ? slow.promise : Promise.resolve()
    },
  )
  spending.used(usage(5))
  expect(saves).toEqual([{ costUsd: 1, tokens: { input: 15, output: 2, cacheRead: 0, cacheWrite: 0 } }])
  spending.used(usage(5))
  spending.used(usage(5))
  spending.hear(cost(0.5))
  spending.hear(cost(0.7))
  expect(saves).toHaveLength(1)
  slow.resolve()
  await spending.saved()
  expect(saves).toHaveLength(2)
  expect(saves.at(-1)).toEqual({ costUsd: 1.7, tokens: { input: 25, output: 4, cacheRead: 0, cacheWrite: 0 } })
})

test('a bill that cannot be saved fails nothing', async () => {
  const spending = createSpending({ costUsd: null, tokens: null }, () => Promise.reject(new Error('the fence is old')))
  spending.used(usage(1))
  await expect(spending.saved()).resolves.toBeUndefined()
})

describe('a limit of money is the whole run’s', () => {
  test.for([
    [null, 3, null],
    [5, null, 5],
    [5, 2, 3],
    [5, 5, 0],
    [5, 6, 0],
  ] as const)('of %s USD, after %s, there is left: %s', ([limit, costUsd, left]) => {
    expect(leftOf(limit, { costUsd })).toBe(left)
  })

  const routine = (usd: number | null) => ({ limits: { minutes: 1, usd, turns: null } })
  test('an agent with nothing left is not started again', () => {
    expect(spentBefore({ costUsd: 5.25 }, routine(5))).toEqual({
      state: 'failed',
      reason: 'budget',
      message: 'the agent reached its limit of money: earlier attempts spent 5.2500 of 5 USD',
    })
  })
  test.for([
    [null, 5],
    [4, 5],
    [6, null],
  ] as const)('after %s of %s it is', ([costUsd, usd]) => {
    expect(spentBefore({ costUsd }, routine(usd))).toBeUndefined()
  })
})
