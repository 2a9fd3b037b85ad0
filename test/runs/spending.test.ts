import { expect, test } from 'vitest'
import { createSpending } from '../../src/runs/spending.ts'

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
