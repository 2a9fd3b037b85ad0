import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { openEmbedded } from './embedded.ts'
import type { Pool } from './pool.ts'
import { openPostgres } from './postgres/open.ts'
import type { FirstContact } from './postgres/first-contact.ts'
import type * as schema from './schema.ts'

type Rows<Row> = { rows: Row[] }
/** What every PostgreSQL driver answers to a statement. */
interface Answer extends PgQueryResultHKT {
  type: Rows<this['row']>
}

/** The store itself or one transaction of it: a query takes either. */
export type Database = PgDatabase<Answer, typeof schema>

export type Store = {
  db: Database
  /** The same store as a `pg.Pool`, for the queue's own tables (in the schema `bullmq`). */
  pool: Pool
  /** Runs the migrations of a folder that are still missing, in one transaction; processes that do so at once take turns. */
  migrate(folder: string): Promise<void>
  /**
   * Calls back with the payload of every committed `pg_notify(channel, …)`; resolves to how to stop. `undefined`: the
   * connection was lost and is back, so anything may have been said.
   */
  listen(channel: string, onPayload: (payload: string | undefined) => void): Promise<() => Promise<void>>
  notify(channel: string, payload: string): Promise<void>
  /** Housekeeping of a store that has nobody else for it: gives the space of dead rows back and shortens the log, table by table. */
  vacuum(): Promise<void>
  /** `degraded` while nothing can be written: the disk is full, the server has stopped, or cannot be reached. */
  health(): 'ok' | 'degraded'
  /** For how long it has been within reach: 0 while it is not, Infinity when it was never away. */
  reachedForMs(): number
  /** Rejects with what to do when the embedded server has stopped by itself, which only a new start heals; never resolves. */
  stopped: Promise<never>
  /** Waits for what is in line, then ends. */
  close(): Promise<void>
}

/**
 * Opens the store: the embedded one in a folder of its own (one process, which holds the lock of the data folder), or a
 * PostgreSQL (many processes). Throws SetupError with what to do.
 */
export function openStore(where: { ledger: string } | FirstContact): Promise<Store> {
  return 'ledger' in where ? openEmbedded(where) : openPostgres(where)
}
