import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from './sql.ts'
import { behind, messageOf, SetupError } from '../errors.ts'
import type { Database, Store } from './store.ts'

/** Written by `npm run migration`, and by hand where a schema cannot say it. */
const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url))

/**
 * Brings the ledger to this version's tables; nothing to do is cheap. All or nothing.
 * Throws SetupError for a ledger that a newer version has already changed.
 */
export async function migrate(store: Store): Promise<void> {
  const newest = newestOf(migrationsFolder)
  const applied = await lastApplied(store.db)
  if (applied > newest) {
    throw new SetupError(
      'the ledger was written by a newer version of Overnight',
      'start the newer version, or restore the backup made before the upgrade',
    )
  }
  if (applied === newest) return
  try {
    await store.migrate(migrationsFolder)
  } catch (error) {
    throw new SetupError(
      `the ledger could not be brought to this version: ${messageOf(error)}`,
      isForbidden(error)
        ? 'make this user the owner of the database, or grant it CREATE on the database and on its schema public'
        : 'nothing was changed; start the version that wrote it, and report this',
      error,
    )
  }
}

/** insufficient_privilege: since PostgreSQL 15 only a database's owner may make tables in `public`. */
function isForbidden(error: unknown): boolean {
  const real = behind(error)
  return real instanceof Error && 'code' in real && real.code === '42501'
}

function newestOf(folder: string): number {
  const journal = JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8')) as {
    entries: { when: number }[]
  }
  return Math.max(...journal.entries.map((entry) => entry.when))
}

/** When the newest migration in the ledger was written (ms), 0 for an empty ledger. */
async function lastApplied(db: Database): Promise<number> {
  const table = await db.execute<{ there: boolean }>(
    sql`select to_regclass('drizzle.__drizzle_migrations') is not null as there`,
  )
  if (!table.rows[0]?.there) return 0
  const last = await db.execute<{ at: string | number }>(
    sql`select coalesce(max(created_at), 0) as at from drizzle.__drizzle_migrations`,
  )
  return Number(last.rows[0]?.at ?? 0)
}
