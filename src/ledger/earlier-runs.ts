import { and, asc, desc, eq, getTableColumns, inArray, isNull, min, ne, not, notInArray, or, sql } from './sql.ts'
import { runs, type Run } from './schema.ts'
import type { Database } from './store.ts'

/** What the runs there are mean for the next one: whom it waits for or joins, how soon it may start, whether it should at all. */
export function createEarlierRuns(db: Database) {
  return {
    /** Runs of a concurrency key that were handed to no worker yet, oldest first; locked until the transaction ends. */
    waiting(routine: string, concurrencyKey: string): Promise<(Run & { isEarly: boolean })[]> {
      return db
        .select({ ...getTableColumns(runs), isEarly: sql<boolean>`${runs.notBefore} > clock()` })
        .from(runs)
        .where(and(standing(routine, concurrencyKey), untouched))
        .orderBy(asc(runs.createdAt))
        .for('update')
    },

    /** The others of that key that have not ended. What only waits for a person, or was approved by one, stands in nobody's way. */
    begun(routine: string, concurrencyKey: string): Promise<Pick<Run, 'id' | 'subject' | 'alone'>[]> {
      return db
        .select({ id: runs.id, subject: runs.subject, alone: runs.alone })
        .from(runs)
        .where(
          and(
            standing(routine, concurrencyKey),
            not(untouched),
            ne(runs.state, 'needs_approval'),
            isNull(runs.approvedBy),
          ),
        )
        .orderBy(asc(runs.createdAt))
    },

    async oldestCause(ids: string[]): Promise<Date | undefined> {
      if (ids.length === 0) return undefined
      const at = min(runs.causedAt)
      const rows = await db.select({ at }).from(runs).where(inArray(runs.id, ids))
      return rows[0]?.at ?? undefined
    },

    /** When the run of a routine that starts last started, or may; of the newest ones, as others cannot be it. */
    async lastStart(routine: string, besides: readonly string[]): Promise<Date | undefined> {
      const start = sql<Date>`coalesce(${runs.startedAt}, ${runs.notBefore})`.mapWith(runs.notBefore)
      const rows = await db
        .select({ start })
        .from(runs)
        .where(and(eq(runs.routine, routine), ne(runs.state, 'skipped'), notInArray(runs.id, [...besides])))
        .orderBy(desc(runs.createdAt))
        .limit(20)
      const times = rows.map((row) => row.start.getTime())
      return times.length === 0 ? undefined : new Date(Math.max(...times))
    },

    /** Runs of a routine made within the last `ms`, without those that people asked for, that gave way, or give way now (`besides`). */
    begunWithin(routine: string, ms: number, besides: readonly string[]): Promise<number> {
      const since = sql`clock() - make_interval(secs => ${ms / 1000}::double precision)`
      const byItself = notInArray(runs.trigger, ['manual', 'retry', 'backfill'])
      return db.$count(
        runs,
        and(
          eq(runs.routine, routine),
          sql`${runs.createdAt} > ${since}`,
          byItself,
          ne(runs.state, 'skipped'),
          notInArray(runs.id, [...besides]),
        ),
      )
    },

    /** How the newest runs of a routine's text ended, newest first: those that say something about it. */
    endings(of: { routine: string; hash: string; since: Date | null; besides: readonly string[]; limit: number }) {
      return db
        .select({ state: runs.state, reason: runs.reason })
        .from(runs)
        .where(
          and(
            eq(runs.routine, of.routine),
            eq(runs.hash, of.hash),
            inArray(runs.state, ['published', 'unchanged', 'reported', 'failed', 'timed_out']),
            or(isNull(runs.reason), notInArray(runs.reason, [...of.besides])),
            of.since === null ? undefined : sql`${runs.endedAt} > ${of.since.toISOString()}`,
            eq(runs.alone, false),
          ),
        )
        .orderBy(desc(runs.createdAt), desc(runs.id))
        .limit(of.limit)
    },
  }
}

const standing = (routine: string, concurrencyKey: string) =>
  and(eq(runs.routine, routine), eq(runs.concurrencyKey, concurrencyKey), isNull(runs.endedAt))
const untouched = sql`(${runs.state} = 'queued' and ${runs.attempt} = 0 and not ${runs.alone})`
