import { and, asc, eq, like } from 'drizzle-orm'
import { firings, type Firing } from './schema.ts'
import type { Database } from './store.ts'

export type NewFiring = Omit<Firing, 'createdAt'>

/** Occasions to act. */
export function createFirings(db: Database) {
  return {
    /** False when this occasion has a firing already (the unique index decides, also between processes). */
    async insert(firing: NewFiring): Promise<boolean> {
      const rows = await db.insert(firings).values(firing).onConflictDoNothing().returning({ id: firings.id })
      return rows.length === 1
    },

    async find(routine: string, triggerKey: string): Promise<Firing | undefined> {
      const rows = await db
        .select()
        .from(firings)
        .where(and(eq(firings.routine, routine), eq(firings.triggerKey, triggerKey)))
      return rows[0]
    },

    /** How often people asked to retry a run; those that joined another are counted, too. */
    async retriesOf(run: string): Promise<number> {
      return db.$count(firings, like(firings.triggerKey, `retry:${run}:%`))
    },

    ofRun(run: string): Promise<Firing[]> {
      return db.select().from(firings).where(eq(firings.run, run)).orderBy(asc(firings.createdAt))
    },
  }
}
