import { and, asc, desc, eq, gt } from './sql.ts'
import { sql } from './sql.ts'
import { audit, runEvents, type RunEvent } from './schema.ts'
import type { Database } from './store.ts'

/** The timeline of runs, and who did what. */
export function createEvents(db: Database) {
  return {
    /** For acts outside a worker (approve, cancel, supersede): a line on the run's timeline. */
    async tell(run: string, kind: RunEvent['kind'], data: Record<string, unknown>): Promise<void> {
      await db.insert(runEvents).values({ run, fence: 0, kind, data })
      await db.execute(sql`select pg_notify('overnight_runs', ${run})`)
    },

    after(run: string, id: number, limit = 500): Promise<RunEvent[]> {
      return db
        .select()
        .from(runEvents)
        .where(and(eq(runEvents.run, run), gt(runEvents.id, id)))
        .orderBy(asc(runEvents.id))
        .limit(limit)
    },

    /** The id of the newest event of any run; 0 when there is none. */
    async newest(): Promise<number> {
      const rows = await db.select({ id: runEvents.id }).from(runEvents).orderBy(desc(runEvents.id)).limit(1)
      return rows[0]?.id ?? 0
    },

    async last(run: string, limit: number): Promise<RunEvent[]> {
      const rows = await db
        .select()
        .from(runEvents)
        .where(eq(runEvents.run, run))
        .orderBy(desc(runEvents.id))
        .limit(limit)
      return rows.toReversed()
    },

    async audit(actor: string, action: string, subject: string): Promise<void> {
      await db.insert(audit).values({ actor, action, subject, data: {} })
    },

    /** Beside what was done, what was said about it. */
    async auditWith(entry: Pick<typeof audit.$inferInsert, 'actor' | 'action' | 'subject' | 'data'>): Promise<void> {
      await db.insert(audit).values(entry)
    },
  }
}
