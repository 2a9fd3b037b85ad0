import { and, asc, eq, notInArray } from 'drizzle-orm'
import { runs, type Run } from './schema.ts'
import type { Database } from './store.ts'

/** Runs that ended, as far as the routines that follow them were not looked at yet. */
export function createFollowers(db: Database) {
  return {
    /** The oldest of them but for `besides`, locked until the transaction ends; another process takes the next. */
    async nextOwed(besides: readonly string[]): Promise<Run | undefined> {
      const rows = await db
        .select()
        .from(runs)
        .where(and(eq(runs.followersOwed, true), notInArray(runs.id, [...besides])))
        .orderBy(asc(runs.endedAt))
        .limit(1)
        .for('update', { skipLocked: true })
      return rows[0]
    },

    async isOwed(): Promise<boolean> {
      const rows = await db.select({ id: runs.id }).from(runs).where(eq(runs.followersOwed, true)).limit(1)
      return rows.length > 0
    },

    async settle(run: string): Promise<void> {
      await db.update(runs).set({ followersOwed: false }).where(eq(runs.id, run))
    },
  }
}
