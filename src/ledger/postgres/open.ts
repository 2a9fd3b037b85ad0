import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { load } from '../load.ts'
import * as schema from '../schema.ts'
import type { Store } from '../store.ts'
import { connectionOf, openPool, quiet } from './connections.ts'
import { addressOf, waitForServer, type FirstContact } from './first-contact.ts'
import { openListener } from './listener.ts'
import { createReach } from './reach.ts'
import { TransactionPool } from './transactions.ts'

const { drizzle } = load('drizzle-orm/node-postgres') as typeof import('drizzle-orm/node-postgres')
const { migrate } = load('drizzle-orm/node-postgres/migrator') as typeof import('drizzle-orm/node-postgres/migrator')

/** A server that is gone never gives a connection back. */
const closeMs = 5_000
/** Two of the same server's processes agree by this number on who migrates. Any number would do. */
const migrationLock = 4_747_001

/** Connections of one process: some for the ledger, some for the queue (only used without Redis), one to listen. */
const connections = { ledger: 10, queue: 10 }

/** Opens the ledger on a PostgreSQL; any number of processes may. Throws SetupError with what to do. */
export async function openPostgres(options: FirstContact): Promise<Store> {
  const { databaseUrl, log } = options
  await waitForServer(options)
  const reach = createReach(addressOf(databaseUrl))
  const listener = await openListener({ databaseUrl, log, onBack: () => reach.isBack() })
  const pool = openPool(databaseUrl, { max: connections.ledger })
  // Its tables are in a schema of their own, and its statements do not say so.
  const queuePool = openPool(databaseUrl, { max: connections.queue, settings: { search_path: 'bullmq' } })
  const asked = new TransactionPool(pool, reach)
  // Of a pool the driver uses these two functions and the name of the class.
  const db = drizzle({ client: asked as unknown as pg.Pool, schema })
  return {
    db,
    pool: queuePool,
    migrate: (folder) => migrateAlone(databaseUrl, folder),
    listen: listener.listen,
    async notify(channel, payload) {
      await reach.ask(() => pool.query('select pg_notify($1, $2)', [channel, payload]))
    },
    // Autovacuum does it.
    vacuum: () => Promise.resolve(),
    health: () => (reach.isThere() && listener.isConnected() ? 'ok' : 'degraded'),
    reachedForMs: () => (listener.isConnected() ? reach.reachedForMs() : 0),
    stopped: Promise.withResolvers<never>().promise,
    async close() {
      await listener.close()
      const ended = Promise.all([pool, queuePool].filter((one) => !one.ending).map((one) => one.end()))
      await Promise.race([ended, delay(closeMs, undefined, { ref: false })])
    },
  }
}

/** Processes that start together take turns; the server lets the lock go with its connection. */
async function migrateAlone(databaseUrl: string, folder: string): Promise<void> {
  // No time limit: a migration of a large table takes as long as it takes.
  const client = quiet(new pg.Client({ ...connectionOf(databaseUrl), query_timeout: 0 }))
  try {
    await client.connect()
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    await migrate(drizzle({ client }), { migrationsFolder: folder })
  } finally {
    await client.end().catch(() => {})
  }
}
