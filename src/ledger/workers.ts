import { and, asc, eq, gte, lt, sql } from './sql.ts'
import { workers, type WorkerRow } from './schema.ts'
import type { Database } from './store.ts'

export type NewWorker = Pick<WorkerRow, 'id' | 'host' | 'pid' | 'slots'>

/** Processes that take runs. One that is silent is dead, and is only known by its silence. */
export function createWorkers(db: Database) {
  const seenWithin = (ms: number) =>
    gte(workers.seenAt, sql`clock() - make_interval(secs => ${ms / 1000}::double precision)`)

  return {
    /** A process begins to take runs; the same id again is the same worker, started anew. */
    async announce(worker: NewWorker): Promise<void> {
      const anew = { ...worker, startedAt: sql`clock()`, seenAt: sql`clock()`, stopping: false }
      await db.insert(workers).values(worker).onConflictDoUpdate({ target: workers.id, set: anew })
    },

    /** Still there. Announces the worker again when its row was pruned meanwhile: it was silent, and is not dead. */
    async beat(worker: NewWorker): Promise<void> {
      await db
        .insert(workers)
        .values(worker)
        .onConflictDoUpdate({ target: workers.id, set: { seenAt: sql`clock()` } })
    },

    /** It finishes what it has and takes nothing new: its slots do not count any more. */
    async stopping(id: string): Promise<void> {
      await db
        .update(workers)
        .set({ stopping: true, seenAt: sql`clock()` })
        .where(eq(workers.id, id))
    },

    async remove(id: string): Promise<void> {
      await db.delete(workers).where(eq(workers.id, id))
    },

    /** Heard of within the last `withinMs`, oldest first; those that are stopping, too. */
    live(withinMs: number): Promise<WorkerRow[]> {
      return db.select().from(workers).where(seenWithin(withinMs)).orderBy(asc(workers.startedAt), asc(workers.id))
    },

    /** How many runs may be at work at the same time, in all live processes together. */
    async totalSlots(withinMs: number): Promise<number> {
      const rows = await db
        .select({ slots: sql<number>`coalesce(sum(${workers.slots}), 0)::int` })
        .from(workers)
        .where(and(seenWithin(withinMs), eq(workers.stopping, false)))
      return rows[0]!.slots
    },

    /** Forgets those that were silent for `silentMs`; answers how many. */
    async prune(silentMs: number): Promise<number> {
      const silent = lt(workers.seenAt, sql`clock() - make_interval(secs => ${silentMs / 1000}::double precision)`)
      const rows = await db.delete(workers).where(silent).returning({ id: workers.id })
      return rows.length
    },
  }
}
