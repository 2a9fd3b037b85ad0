import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { PGlite } from '@electric-sql/pglite'
import { messageOf, SetupError } from '../errors.ts'
import { ensureCluster, startParams } from './cluster.ts'
import { freeBytes, hasSpace, requireSpace } from './disk.ts'
import { createDurableFiles, type DurableFiles } from './durable-files.ts'
import { createPool } from './pool.ts'
import { load } from './load.ts'
import * as schema from './schema.ts'
import { createSession, type Session } from './session.ts'
import type { Store } from './store.ts'

const { drizzle } = load('drizzle-orm/pglite') as typeof import('drizzle-orm/pglite')
const { migrate } = load('drizzle-orm/pglite/migrator') as typeof import('drizzle-orm/pglite/migrator')

/**
 * Opens the embedded store in a folder of its own, made when it is missing. The caller holds the lock of the data
 * folder: two processes on one store lose rows without a word. Throws SetupError with what to do.
 */
export async function openEmbedded(options: { ledger: string }): Promise<Store> {
  const durable = createFilesIn(options.ledger)
  const pglite = await openCluster(options.ledger, await durable)
  return createStore(options.ledger, pglite, await durable)
}

async function createFilesIn(folder: string): Promise<DurableFiles> {
  try {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o700 })
    await ensureCluster(folder)
    return createDurableFiles(folder)
  } catch (error) {
    throw broken(folder, error)
  }
}

async function openCluster(folder: string, durable: DurableFiles): Promise<PGlite> {
  const said: string[] = []
  const hear = (line: string) => said.push(line) > 0
  // By itself V8 makes better code of what is used much: a second of both processors, and 600 MB for one function of 100 KB alone.
  // Nothing is made of it here. The price: reading many rows takes a fifth longer, writing one does not.
  setFlagsFromString('--wasm-tiering-budget=2000000000')
  setFlagsFromString('--wasm-tier-up-filter=0')
  try {
    const pglite = await PGlite.create({
      fs: durable.files,
      startParams,
      onStdout: hear,
      onStderr: hear,
      // The store's own go through one string a byte: minutes and gigabytes for a large patch.
      serializers: { [bytea]: (value: Uint8Array) => `\\x${Buffer.from(value).toString('hex')}` },
      parsers: { [bytea]: (value: string) => Buffer.from(value.slice(2), 'hex') },
    })
    await requireDurability(pglite, durable)
    return pglite
  } catch (error) {
    throw broken(folder, error, said)
  }
}
/** The type's number in pg_type. */
const bytea = 17

/** Refuses a store whose commits are answered before the disk has them. */
export async function requireDurability(pglite: PGlite, durable: Pick<DurableFiles, 'logSyncs'>): Promise<void> {
  const before = durable.logSyncs()
  await pglite.query(`select pg_logical_emit_message(true, 'overnight', 'does a commit reach the disk')`)
  const settings = await pglite.query<{ setting: string }>(
    `select setting from pg_settings where name in ('fsync', 'synchronous_commit')`,
  )
  if (durable.logSyncs() > before && settings.rows.every((row) => row.setting === 'on')) return
  await pglite.close()
  throw new SetupError(
    'the embedded store answers a commit before the disk has it',
    'run npm ci to get the versions this was tested with; nothing was accepted meanwhile',
  )
}

function broken(folder: string, error: unknown, said: string[] = []): SetupError {
  if (error instanceof SetupError) return error
  const complaint = said.findLast((line) => /FATAL|PANIC|ERROR/.test(line))?.replace(/^.*?(FATAL|PANIC|ERROR):\s*/, '')
  const code = String((error as { code?: unknown }).code)
  const named = `the ledger ${folder} cannot be opened`
  if (isFull(dirname(folder)))
    return new SetupError(`${named}: the disk is full`, 'free some space and start again', error)
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code)) {
    return new SetupError(
      `${named}: ${messageOf(error)}`,
      'make it a folder this user can write to, or set OVERNIGHT_DATA to another',
      error,
    )
  }
  return new SetupError(
    `${named}: ${complaint ?? messageOf(error)}`,
    'restore a backup of the folder, or move it away to begin with an empty ledger',
    error,
  )
}

/** The server's own words for it differ from step to step; a new store takes 56 MB. */
function isFull(folder: string): boolean {
  try {
    return freeBytes(folder) < 64 * 1024 * 1024
  } catch {
    return false
  }
}

function createStore(folder: string, pglite: PGlite, durable: DurableFiles): Store {
  const session = createSession(pglite, () => requireSpace(folder))
  // The embedded server has no background processes: without this its log grows for ever, and recovery reads it all.
  durable.onLogGrown(() => void session.query('checkpoint').catch(() => {}))
  const client = drizzle({ client: session as unknown as PGlite, schema })
  return {
    db: client,
    pool: createPool(session),
    migrate: (folder) => migrate(client, { migrationsFolder: folder }),
    listen: (channel, onPayload) => session.listen(channel, onPayload),
    async notify(channel, payload) {
      await session.query('select pg_notify($1, $2)', [channel, payload])
    },
    vacuum: () => vacuum(session),
    health: () => (session.isRunning() && hasSpace(folder) ? 'ok' : 'degraded'),
    reachedForMs: () => Infinity,
    stopped: session.stopped,
    async close() {
      const sound = await session.end()
      if (sound && !pglite.closed) await pglite.close()
    },
  }
}

/** The embedded server has no background processes, so nothing does this by itself. */
async function vacuum(session: Session): Promise<void> {
  const tables = await session.query<{ name: string }>(
    `select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables order by 1`,
  )
  for (const table of tables.rows) await session.query(`vacuum (analyze) ${table.name}`)
  await session.query('checkpoint')
}
