import { asc, eq } from './sql.ts'
import { createOutbox } from './outbox.ts'
import { runRowFacts } from './run-facts.ts'
import { callbacks, runs, type Run } from './schema.ts'
import type { Database } from './store.ts'

/** Who wants to hear when a run ends. */
export function createCallbacks(db: Database) {
  /** Safe to repeat: a firing has one message about the ending of its run. */
  async function tell(run: Run): Promise<void> {
    const waiting = await db.select().from(callbacks).where(eq(callbacks.run, run.id)).orderBy(asc(callbacks.id))
    const facts = runRowFacts(run, run.endedAt ?? new Date())
    await createOutbox(db).put(
      ...waiting.map(({ firing, url }) => ({
        id: `run_ended_${firing}`,
        kind: 'run.ended' as const,
        url,
        body: { firing, ...facts },
      })),
    )
  }

  return {
    tell,

    /** Inside the transaction of the firing. A run that has ended meanwhile is told of at once. */
    async add(callback: { run: string; firing: string; url: string }): Promise<void> {
      const [run] = await db.select().from(runs).where(eq(runs.id, callback.run)).for('update')
      await db.insert(callbacks).values(callback).onConflictDoNothing()
      if (run?.endedAt) await tell(run)
    },

    async urlOf(firing: string): Promise<string | undefined> {
      const rows = await db.select({ url: callbacks.url }).from(callbacks).where(eq(callbacks.firing, firing))
      return rows[0]?.url
    },
  }
}
