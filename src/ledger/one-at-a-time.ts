import { sql } from './sql.ts'
import type { Database } from './store.ts'

/** The database may be shared with other programs, whose locks are numbers, too. */
const lockSpace = 4747

/** From here to the end of the transaction nobody else, in no process, is past this line with the same words. */
export async function oneAtATime(tx: Database, what: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${what}, ${lockSpace}))`)
}
