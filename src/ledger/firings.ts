import { and, asc, eq, inArray, isNotNull, like, or } from './sql.ts'
import { callbacks, firings, type Firing } from './schema.ts'
import type { Database } from './store.ts'

export type NewFiring = Omit<Firing, 'createdAt' | 'payloadRemovedAt'>

/** Occasions to act. */
export function createFirings(db: Database) {
  return {
    /** Throws when this occasion has a firing already (the unique index decides, also between processes). */
    async insert(firing: NewFiring): Promise<Firing> {
      const rows = await db.insert(firings).values(firing).returning()
      return rows[0]!
    },

    async find(routine: string, triggerKey: string): Promise<Firing | undefined> {
      const rows = await db
        .select()
        .from(firings)
        .where(and(eq(firings.routine, routine), eq(firings.triggerKey, triggerKey)))
      return rows[0]
    },

    /** What one run was to look at is for another to look at; who asked to hear of its end hears of that one's. */
    async handOnEvents(from: string, to: string): Promise<void> {
      const holdsEvent = or(isNotNull(firings.delivery), isNotNull(firings.payload))
      const moved = await db
        .update(firings)
        .set({ run: to, outcome: 'coalesced' })
        .where(and(eq(firings.run, from), holdsEvent))
        .returning({ id: firings.id })
      const ids = moved.map(({ id }) => id)
      if (ids.length > 0) await db.update(callbacks).set({ run: to }).where(inArray(callbacks.firing, ids))
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
