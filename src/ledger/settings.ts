import { and, eq, gt, lt, or, sql } from './sql.ts'
import { settings } from './schema.ts'
import type { Database } from './store.ts'

type Value = Record<string, unknown>

/** Single values of the service as a whole. */
export function createSettings(db: Database) {
  return {
    async find(key: string): Promise<{ value: Value; at: Date } | undefined> {
      const rows = await db
        .select({ value: settings.value, at: settings.at })
        .from(settings)
        .where(eq(settings.key, key))
      return rows[0]
    },

    async put(key: string, value: Value, by: string): Promise<void> {
      await db
        .insert(settings)
        .values({ key, value, by })
        .onConflictDoUpdate({ target: settings.key, set: { value, by, at: sql`clock()` } })
    },

    /**
     * Its value, if nobody in any process has taken or written it for so long; undefined = it is another one's turn, or was. What is not
     * there yet begins empty, and what was taken by a clock that ran ahead is due.
     */
    async take(key: string, { everyMs, by }: { everyMs: number; by: string }): Promise<Value | undefined> {
      const added = await db.insert(settings).values({ key, value: {}, by }).onConflictDoNothing().returning()
      if (added[0]) return added[0].value
      const due = or(
        lt(settings.at, sql`clock() - make_interval(secs => ${everyMs / 1000}::double precision)`),
        gt(settings.at, sql`clock() + interval '1 minute'`),
      )
      const rows = await db
        .update(settings)
        .set({ by, at: sql`clock()` })
        .where(and(eq(settings.key, key), due))
        .returning()
      return rows[0]?.value
    },
  }
}
