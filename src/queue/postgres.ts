import { createPostgresBackend, runMigrations, type PgPool } from 'bullmq'
import type { Backend } from './backend.ts'

/** The queue in the ledger's own server: tables of BullMQ's own in the schema `bullmq`. */
export async function openPostgres(pool: PgPool): Promise<Backend> {
  const client = await pool.connect()
  try {
    await runMigrations(client)
  } finally {
    client.release()
  }
  return {
    create: (name, options, more) => createPostgresBackend(name, { ...options, connection: pool }, more),
    server: 'PostgreSQL',
    // It is woken by NOTIFY, so this only bounds the harm of a lost one. Each waking asks four queries, in the embedded
    // store on our own thread.
    drainDelay: 30,
    opened: (ready) => ready,
    whyNot: () => undefined,
    // Its pool says when a connection is lost that nobody was using; that somebody could not ask is all that counts.
    watch() {},
    close() {},
  }
}
