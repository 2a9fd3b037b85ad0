import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLedger, type Ledger } from '../../src/ledger/ledger.ts'
import { migrate } from '../../src/ledger/migrate.ts'
import { openStore, type Store } from '../../src/ledger/store.ts'
import { putFreshLedger } from './ledger-template.ts'

export type OpenLedger = AsyncDisposable & {
  ledger: Ledger
  store: Store
  /** From now on the ledger's clock goes on from this instant. */
  setClock(at: string | Date): Promise<void>
  /** As it was when it was opened, with the true time. */
  clear(): Promise<void>
}

/** The real embedded store, empty, and a clock that can be moved. */
export async function openLedger(): Promise<OpenLedger> {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-ledger-'))
  await putFreshLedger(join(folder, 'ledger'))
  const store = await openStore({ ledger: join(folder, 'ledger') })
  await migrate(store)
  return {
    store,
    ledger: createLedger(store),
    async setClock(at) {
      await store.pool.query('update clock_offset set ahead = $1::timestamptz - clock_timestamp()', [
        new Date(at).toISOString(),
      ])
    },
    async clear() {
      const tables = await store.pool.query<{ name: string }>(
        `select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'clock_offset'`,
      )
      await store.pool.query(`truncate ${tables.rows.map((table) => `"${table.name}"`).join(', ')}`)
      await store.pool.query(`update clock_offset set ahead = '0'`)
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      await rm(folder, { recursive: true })
    },
  }
}
