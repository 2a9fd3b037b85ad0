import { once } from 'node:events'
import { expect, test } from 'vitest'
import { FenceLost, LedgerUnreachable } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { keepLease } from '../../src/runs/lease.ts'

const log = createLog('silent')
const away = () => new LedgerUnreachable('127.0.0.1:1', new Error('refused'))

/** A ledger that gives these answers to renewals, one after the other, and the last one for ever. */
function answering(...answers: (() => { cancelRequested: boolean })[]) {
  const asked: PromiseWithResolvers<void>[] = answers.map(() => Promise.withResolvers<void>())
  let next = 0
  return {
    asked: (index: number) => asked[index]!.promise,
    async renew() {
      const index = Math.min(next++, answers.length - 1)
      asked[index]!.resolve()
      return Promise.resolve(answers[index]!())
    },
  }
}
const fails = (error: Error) => () => {
  throw error
}
const renewed = () => ({ cancelRequested: false })
const never = new AbortController().signal

test('a ledger that is away for many leases ends no work: nobody else can reach it either', async () => {
  const held = answering(...Array.from({ length: 12 }, () => fails(away())), renewed)
  const lease = keepLease(held, { leaseMs: 6, stop: never, log })
  await held.asked(12)
  expect([lease.lost, lease.signal.aborted]).toEqual([false, false])
  lease.stop()
})

test('one who was taken over meanwhile stops at the first answer', async () => {
  const held = answering(fails(away()), fails(away()), fails(new FenceLost('a run', 1)))
  const lease = keepLease(held, { leaseMs: 6, stop: never, log })
  await once(lease.signal, 'abort')
  expect(lease.lost).toBe(true)
  lease.stop()
})

test('a cancel that was asked for before the outage is heard after it', async () => {
  const held = answering(fails(away()), () => ({ cancelRequested: true }))
  const lease = keepLease(held, { leaseMs: 6, stop: never, log })
  await once(lease.signal, 'abort')
  expect(lease.lost).toBe(false)
  lease.stop()
})

test('a renewal that is answered after the end says nothing', async () => {
  const answer = Promise.withResolvers<never>()
  const asked = Promise.withResolvers<void>()
  const renew = () => {
    asked.resolve()
    return answer.promise
  }
  const lease = keepLease({ renew }, { leaseMs: 6, stop: never, log })
  await asked.promise
  lease.stop()
  answer.reject(new FenceLost('a run', 1))
  await expect(answer.promise).rejects.toThrow(FenceLost)
  expect([lease.lost, lease.signal.aborted]).toEqual([false, false])
})
