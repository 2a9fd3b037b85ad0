import { and, asc, eq, inArray, isNull, lt, lte, ne, notExists, notInArray, or, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { attempts, runs, type Run } from './schema.ts'
import { unheld } from './runs.ts'
import type { Database } from './store.ts'

/** States in which a run wants a worker. `waiting`, `parked` and `needs_approval` want a person or the clock. */
const wanting = ['queued', 'preparing', 'working', 'collecting', 'publishing'] as const

const seconds = (ms: number) => sql`make_interval(secs => ${ms / 1000}::double precision)`

export type OwedQuery = {
  unclaimedMs: number
  /** Routines that have a run at work: their next one waits. */
  busyRoutines: readonly string[]
  /** Runs that are at work in this process, whatever a clock says of their lease. */
  except: readonly string[]
  /** Only these; undefined = all. */
  only: readonly string[] | undefined
  limit: number
}

/** Runs that are owed to a worker: who may be handed to the queue, and the claim that makes one worker their owner. */
export function createOwed(db: Database) {
  return {
    /**
     * Owed runs, oldest first, locked until the transaction ends. One that was handed out and not claimed within
     * `unclaimedMs` is owed again: whatever happened to its job, the ledger does not need to know. Of each routine only the
     * first that waits is looked at, so that no crowd of one routine hides the others.
     */
    candidates({ unclaimedMs, busyRoutines, except, only, limit }: OwedQuery): Promise<Run[]> {
      const older = alias(runs, 'older')
      const queuedBefore = db
        .select({ id: older.id })
        .from(older)
        .where(
          and(
            eq(older.routine, runs.routine),
            eq(older.state, 'queued'),
            isNull(older.endedAt),
            only && inArray(older.id, [...only]),
            sql`(${older.createdAt}, ${older.id}) < (${runs.createdAt}, ${runs.id})`,
          ),
        )
      const isNext = and(notInArray(runs.routine, [...busyRoutines]), notExists(queuedBefore))
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
            notInArray(runs.id, [...except]),
            only && inArray(runs.id, [...only]),
            or(ne(runs.state, 'queued'), isNext),
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
