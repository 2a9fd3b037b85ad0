import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { createLog } from '../../src/log.ts'
import type { Store } from '../../src/ledger/store.ts'
import { openQueue } from '../../src/queue/bullmq.ts'
import { queueContract } from '../contract/queue.ts'
import { queueServerContract, type QueueServer } from '../contract/queue-server.ts'
import { need } from '../support/need.ts'
import { postgresMissing, startPostgres } from '../support/postgres.ts'
import { openTestStore } from '../support/test-store.ts'

type Asked = { query(text: string): Promise<{ rowCount: number | null }> }

/** What a server does to the tables of the queue that lost its memory, or a part of it. */
const onTables = (pool: Asked) => ({
  async dropLocks() {
    const dropped = await pool.query(
      `update bullmq.job set lock_token = 'nobody', locked_until_ms = 0 where state = 'active'`,
    )
    if (dropped.rowCount === 0) throw new Error('no job is at work')
  },
  async wipe() {
    await pool.query('delete from bullmq.job')
  },
})

queueContract('BullMQ on the embedded store', async () => {
  const opened = await openTestStore()
  const { pool } = opened.store
  return {
    open: (setting) => openQueue({ backend: { kind: 'postgres', pool }, ...setting }),
    ...onTables(pool),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
})

/** Each queue has a pool of its own, as each process has. */
async function openGround(): Promise<QueueServer> {
  const server = await startPostgres()
  const { url } = await server.createDatabase()
  const pools: pg.Pool[] = []
  const openPool = (): Store['pool'] => {
    const options = '-c search_path=bullmq'
    const pool = new pg.Pool({ connectionString: url, options, max: 5, connectionTimeoutMillis: 5000 })
    // Told otherwise; without a listener it would end the process.
    pool.on('error', () => {})
    pools.push(pool)
    return pool
  }
  return {
    open: (setting) => openQueue({ backend: { kind: 'postgres', pool: openPool() }, ...setting }),
    ...onTables(openPool()),
    stop: (how) => server.stop(how === 'crash' ? 'immediate' : 'fast'),
    start: () => server.start(),
    async [Symbol.asyncDispose]() {
      await Promise.all(pools.map((pool) => pool.end()))
      await server[Symbol.asyncDispose]()
    },
  }
}

const postgres = need(postgresMissing)
describe.skipIf(postgres.skip)(`PostgreSQL${postgres.note}`, () => {
  queueContract('BullMQ on PostgreSQL', openGround)
  queueServerContract('BullMQ on PostgreSQL', openGround)
})

test('an idle queue asks next to nothing', async () => {
  await using opened = await openTestStore()
  const asked = vi.spyOn(opened.store.pool, 'query')
  const queue = await openQueue({
    backend: { kind: 'postgres', pool: opened.store.pool },
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
