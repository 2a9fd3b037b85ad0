import { join } from 'node:path'
import type { PgPool } from 'bullmq'
import { createLog } from '../../src/log.ts'
import { openStore } from '../../src/ledger/store.ts'
import { postgresMissing, startPostgres } from '../support/postgres.ts'
import { redisMissing, startRedis } from '../support/redis.ts'

/** Where a service keeps its ledger and queue, and a second one of the same kind for BullMQ alone. */
export type OpenStores = {
  env: Record<string, string>
  bullmq: { kind: 'postgres'; pool: PgPool } | { kind: 'redis'; url: string }
}
export type StoreKind = {
  name: string
  missing: string | undefined
  open(place: string, stack: AsyncDisposableStack): Promise<OpenStores>
}

export const storeKinds: readonly StoreKind[] = [
  {
    name: 'embedded',
    missing: undefined,
    async open(place, stack) {
      const store = await openStore({ ledger: join(place, 'raw') })
      stack.defer(() => store.close())
      return { env: {}, bullmq: { kind: 'postgres', pool: store.pool } }
    },
  },
  {
    name: 'PostgreSQL',
    missing: postgresMissing,
    async open(_place, stack) {
      const server = stack.use(await startPostgres())
      const [ours, raw] = [await server.createDatabase(), await server.createDatabase()]
      const store = await openStore({ databaseUrl: raw.url, log: createLog('error') })
      stack.defer(() => store.close())
      return { env: { DATABASE_URL: ours.url }, bullmq: { kind: 'postgres', pool: store.pool } }
    },
  },
  {
    name: 'PostgreSQL and Redis',
    missing: postgresMissing ?? redisMissing('redis'),
    async open(_place, stack) {
      const server = stack.use(await startPostgres())
      const [ours, raw] = [stack.use(await startRedis()), stack.use(await startRedis())]
      const { url } = await server.createDatabase()
      return { env: { DATABASE_URL: url, REDIS_URL: ours.url }, bullmq: { kind: 'redis', url: raw.url } }
    },
  },
]
