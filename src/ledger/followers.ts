import { and, asc, eq, gte, isNull, lte, or, sql } from './sql.ts'
import { runs, type Run } from './schema.ts'
import type { Database } from './store.ts'

const longestWait = sql`interval '10 minutes'`

/** Runs that ended, as far as the routines that follow them were not looked at yet. */
export function createFollowers(db: Database) {
  const owed = and(
    eq(runs.followersOwed, true),
    or(isNull(runs.followNotBefore), lte(runs.followNotBefore, sql`clock()`)),
  )
  return {
    /** The oldest of them, locked until the transaction ends; another process takes the next. */
    async nextOwed(): Promise<Run | undefined> {
      const rows = await db
        .select()
        .from(runs)
        .where(owed)
        .orderBy(asc(runs.endedAt))
        .limit(1)
        .for('update', { skipLocked: true })
      return rows[0]
    },

    async isOwed(): Promise<boolean> {
      const rows = await db.select({ id: runs.id }).from(runs).where(owed).limit(1)
      return rows.length > 0
    },

    async settle(run: string): Promise<void> {
      await db.update(runs).set({ followersOwed: false, followNotBefore: null }).where(eq(runs.id, run))
    },

    /** Not all of them could be fired: after a pause that doubles from a second to ten minutes it is owed again. */
    async postpone(run: string): Promise<void> {
      const pause = sql`least(${longestWait}, interval '1 second' * power(2, least(${runs.followTries}, 12)))`
      await db
        .update(runs)
        .set({ followTries: sql`${runs.followTries} + 1`, followNotBefore: sql`clock() + ${pause}` })
        .where(eq(runs.id, run))
    },

    /** Is there a run whose followers could not be fired so often? */
    async isStuck(tries: number): Promise<boolean> {
      const rows = await db
        .select({ id: runs.id })
        .from(runs)
        .where(and(eq(runs.followersOwed, true), gte(runs.followTries, tries)))
        .limit(1)
      return rows.length > 0
    },
  }
}
