import { and, asc, eq, inArray, isNull, lt, lte, or, sql } from 'drizzle-orm'
import { attempts, runs, type Run } from './schema.ts'
import { unheld } from './runs.ts'
import type { Database } from './store.ts'

/** States in which a run wants a worker. `waiting`, `parked` and `needs_approval` want a person or the clock. */
const wanting = ['queued', 'preparing', 'working', 'collecting', 'publishing'] as const

const seconds = (ms: number) => sql`make_interval(secs => ${ms / 1000}::double precision)`

/** Runs that are owed to a worker: who may be handed to the queue, and the claim that makes one worker their owner. */
export function createOwed(db: Database) {
  return {
    /**
     * Owed runs, oldest first, locked until the transaction ends. One that was handed out and not claimed within
     * `unclaimedMs` is owed again: whatever happened to its job, the ledger does not need to know.
     */
    candidates(unclaimedMs: number, limit: number): Promise<Run[]> {
      return db
        .select()
        .from(runs)
        .where(
          and(
            isNull(runs.endedAt),
            inArray(runs.state, [...wanting]),
            lte(runs.notBefore, sql`clock()`),
            unheld(),
            or(isNull(runs.dispatchedAt), lt(runs.dispatchedAt, sql`clock() - ${seconds(unclaimedMs)}`)),
          ),
        )
        .orderBy(asc(runs.createdAt), asc(runs.id))
        .limit(limit)
        .for('update', { skipLocked: true })
    },

    /** Runs that a worker holds, or that were handed to the queue a moment ago. */
    busy(unclaimedMs: number): Promise<Pick<Run, 'id' | 'routine'>[]> {
      return db
        .select({ id: runs.id, routine: runs.routine })
        .from(runs)
        .where(
          and(
            isNull(runs.endedAt),
            or(sql`${runs.leaseUntil} > clock()`, sql`${runs.dispatchedAt} >= clock() - ${seconds(unclaimedMs)}`),
          ),
        )
    },

    async markDispatched(ids: readonly string[]): Promise<Pick<Run, 'id' | 'attempt'>[]> {
      return db
        .update(runs)
        .set({ dispatchedAt: sql`clock()`, attempt: sql`${runs.attempt} + 1` })
        .where(inArray(runs.id, [...ids]))
        .returning({ id: runs.id, attempt: runs.attempt })
    },

    /**
     * Makes `worker` the owner with a new fence, or undefined (ended, held by another, or an older attempt).
     * An owner who never gave the run back was lost: that is counted, and its attempt says so.
     */
    async claim(job: { runId: string; attempt: number }, worker: string, leaseMs: number): Promise<Run | undefined> {
      const rows = await db
        .update(runs)
        .set({
          fence: sql`${runs.fence} + 1`,
          losses: sql`${runs.losses} + case when ${runs.leaseOwner} is null then 0 else 1 end`,
          leaseOwner: worker,
          leaseUntil: sql`clock() + ${seconds(leaseMs)}`,
          dispatchedAt: null,
          startedAt: sql`coalesce(${runs.startedAt}, clock())`,
        })
        .where(
          and(
            eq(runs.id, job.runId),
            eq(runs.attempt, job.attempt),
            isNull(runs.endedAt),
            inArray(runs.state, [...wanting]),
            unheld(),
          ),
        )
        .returning()
      const run = rows[0]
      if (!run) return undefined
      await db
        .update(attempts)
        .set({ outcome: 'lost', endedAt: sql`clock()` })
        .where(and(eq(attempts.run, run.id), isNull(attempts.endedAt)))
      await db.insert(attempts).values({ run: run.id, number: run.attempt, fence: run.fence, worker })
      return run
    },

    /** The leases of a worker that is known to be dead (this data folder had one owner and it is gone) end now. */
    async expireLeases(): Promise<number> {
      const rows = await db
        .update(runs)
        .set({ leaseUntil: sql`clock()`, dispatchedAt: null })
        .where(and(isNull(runs.endedAt), or(sql`${runs.leaseUntil} > clock()`, sql`${runs.dispatchedAt} is not null`)))
        .returning({ id: runs.id })
      return rows.length
    },
  }
}
