import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from '../../src/ledger/sql.ts'
import { createLog } from '../../src/log.ts'
import { createLedger, type Ledger } from '../../src/ledger/ledger.ts'
import { migrate } from '../../src/ledger/migrate.ts'
import { openStore, type Store } from '../../src/ledger/store.ts'
import { putFreshLedger } from './ledger-template.ts'
import { need } from './need.ts'
import { postgresMissing, startPostgres, type Postgres } from './postgres.ts'

export type OpenLedger = AsyncDisposable & {
  ledger: Ledger
  store: Store
  /** From now on the ledger's clock goes on from this instant. */
  setClock(at: string | Date): Promise<void>
  /** As the driver gives them: instants are text on one store, objects on another. */
  rows<Row extends Record<string, unknown>>(text: string): Promise<Row[]>
  /** As it was when it was opened, with the true time. */
  clear(): Promise<void>
}

/** The real embedded store, empty, and a clock that can be moved. */
async function openLedger(): Promise<OpenLedger> {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-ledger-'))
  await putFreshLedger(join(folder, 'ledger'))
  return ready(await openStore({ ledger: join(folder, 'ledger') }), () => rm(folder, { recursive: true }))
}

export type PostgresLedger = OpenLedger & {
  postgres: Postgres
  databaseUrl: string
  /** What another process would open: connections of its own to the same ledger. */
  openAnother(): Promise<Store>
}

/** The same on a PostgreSQL of its own. */
export async function openPostgresLedger(settings?: Record<string, string>): Promise<PostgresLedger> {
  const postgres = await startPostgres(settings)
  const { url: databaseUrl } = await postgres.createDatabase()
  const openAnother = () => openStore({ databaseUrl, log: createLog('silent') })
  const open = await ready(await openAnother(), () => postgres[Symbol.asyncDispose]())
  return { ...open, postgres, databaseUrl, openAnother }
}

export const postgresNeed = need(postgresMissing)

/** For `describe.for(stores)`: what holds on one store holds on the other. */
export const stores = [
  { store: 'PGlite', skip: false, open: openLedger },
  { store: `PostgreSQL${postgresNeed.note}`, skip: postgresNeed.skip, open: () => openPostgresLedger() },
] as const

async function ready(store: Store, after: () => PromiseLike<unknown>): Promise<OpenLedger> {
  await migrate(store)
  return {
    store,
    ledger: createLedger(store),
    rows: async <Row extends Record<string, unknown>>(text: string) =>
      (await store.db.execute<Row>(sql.raw(text))).rows,
    async setClock(at) {
      await store.db.execute(
        sql`update clock_offset set ahead = ${new Date(at).toISOString()}::timestamptz - clock_timestamp()`,
      )
    },
    async clear() {
      const tables = await store.db.execute<{ name: string }>(
        sql`select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'clock_offset'`,
      )
      // Hardly anything is in them, and `truncate` makes each table anew and waits for the disk: half a second.
      const deletes = tables.rows.map((table) => `delete from "${table.name}";`).join(' ')
      await store.db.execute(sql.raw(`do $$ begin set local session_replication_role = replica; ${deletes} end $$`))
      await store.db.execute(sql`update clock_offset set ahead = '0'`)
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      await after()
    },
  }
}
