import { setTimeout as wait } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { createLog } from '../../src/log.ts'
import { openQueue } from '../../src/queue/bullmq.ts'
import { queueContract } from '../contract/queue.ts'
import { openTestStore } from '../support/test-store.ts'

queueContract('BullMQ on the embedded store', async () => {
  const opened = await openTestStore()
  const { pool } = opened.store
  return {
    open: (setting) => openQueue({ pool, ...setting }),
    async dropLocks() {
      const dropped = await pool.query(
        `update bullmq.job set lock_token = 'nobody', locked_until_ms = 0 where state = 'active'`,
      )
      if (dropped.rowCount === 0) throw new Error('no job is at work')
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
})

test('an idle queue asks next to nothing', async () => {
  await using opened = await openTestStore()
  const asked = vi.spyOn(opened.store.pool, 'query')
  const queue = await openQueue({
    pool: opened.store.pool,
    log: createLog('silent'),
    concurrency: 8,
    work: async () => {},
  })
  await queue.enqueue('run', 1)
  await vi.waitFor(async () =>
    expect((await opened.store.pool.query(`select 1 from bullmq.job where state = 'completed'`)).rows).toHaveLength(1),
  )
  await wait(500)
  asked.mockClear()
  await wait(3000)
  expect(asked.mock.calls.length).toBeLessThanOrEqual(6)
  await queue.close({ graceMs: 0 })
})
