import { join } from 'node:path'
import { createLedger, type Ledger } from '../../src/ledger/ledger.ts'
import { migrate } from '../../src/ledger/migrate.ts'
import { openStore, type Store } from '../../src/ledger/store.ts'
import { createLog } from '../../src/log.ts'
import { postgresMissing, startPostgres } from '../support/postgres.ts'

export type OnLedger = { name: string; store: Store; ledger: Ledger }

/** The same measurement on an empty ledger of each store that is here, one after the other. */
export async function onEachLedger(place: string, measure: (on: OnLedger) => Promise<void>): Promise<void> {
  await onStore('PGlite', await openStore({ ledger: join(place, 'ledger') }), measure)
  if (postgresMissing !== undefined) return
  await using postgres = await startPostgres()
  const { url: databaseUrl } = await postgres.createDatabase()
  await onStore('PostgreSQL', await openStore({ databaseUrl, log: createLog('error') }), measure)
}

async function onStore(name: string, store: Store, measure: (on: OnLedger) => Promise<void>): Promise<void> {
  try {
    await migrate(store)
    await measure({ name, store, ledger: createLedger(store) })
  } finally {
    await store.close()
  }
}
