import { and, asc, eq, inArray, isNull, lte, not, notInArray, or, sql, type SQL } from './sql.ts'
import { attempts, runs, type Run } from './schema.ts'
import { unheld } from './runs.ts'
import { findStartable, type OuterLimits } from './startable.ts'
import type { Database } from './store.ts'

/** States in which a run wants a worker. `waiting`, `parked` and `needs_approval` want a person or the clock. */
const wanting = ['queued', 'preparing', 'working', 'collecting', 'publishing'] as const

const seconds = (ms: number) => sql`make_interval(secs => ${ms / 1000}::double precision)`

export type OwedQuery = {
  unclaimedMs: number
  /** Runs that are at work in this process, whatever a clock says of their lease. */
  except: readonly string[]
  /** Only these; undefined = all. */
  only: readonly string[] | undefined
  /** False: one whose worker may be lost waits until that is known. */
  mayTakeOver: boolean
  limits: OuterLimits
  limit: number
}

/** A run that has its place within the limits: it is at work, or its worker was lost and another will go on. */
export type Holder = Pick<Run, 'id' | 'routine' | 'concurrencyKey' | 'repository' | 'sender'> & { atWork: boolean }

/** Runs that are owed to a worker: who may be handed to the queue, and the claim that makes one worker their owner. */
export function createOwed(db: Database) {
  const handedOut = (unclaimedMs: number) => sql`${runs.dispatchedAt} >= clock() - ${seconds(unclaimedMs)}`
  // Its first part is the index of those few, so that the clock is not asked for every run that is owed.
  const holding = (unclaimedMs: number): SQL => sql`${runs.endedAt} is null
    and (${runs.leaseOwner} is not null or ${runs.dispatchedAt} is not null)
    and (${runs.leaseOwner} is not null or ${handedOut(unclaimedMs)})`

  return {
    /** Is there a run that wants a worker, or has one? */
    async isAny(): Promise<boolean> {
      const wants = and(isNull(runs.endedAt), inArray(runs.state, [...wanting]))
      return (await db.select({ id: runs.id }).from(runs).where(wants).limit(1)).length > 0
    },

    /**
     * Owed runs that may start, in the order in which they are to, locked until the transaction ends. One that was handed out
     * and not claimed within `unclaimedMs` is owed again: whatever happened to its job, the ledger does not need to know.
     */
    async candidates({ unclaimedMs, except, only, mayTakeOver, limits, limit }: OwedQuery): Promise<Run[]> {
      const owed = and(
        isNull(runs.endedAt),
        inArray(runs.state, [...wanting]),
        lte(runs.notBefore, sql`clock()`),
        mayTakeOver ? unheld() : isNull(runs.leaseUntil),
        or(isNull(runs.dispatchedAt), not(handedOut(unclaimedMs))),
        notInArray(runs.id, [...except]),
        only && inArray(runs.id, [...only]),
      )!
      const ids = await findStartable(db, { owed, holding: holding(unclaimedMs), limits, limit })
      if (ids.length === 0) return []
      const rows = await db
        .select()
        .from(runs)
        .where(and(inArray(runs.id, ids), owed))
        .for('update', { skipLocked: true })
      return rows.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id))
    },

    holders(unclaimedMs: number): Promise<Holder[]> {
      const { id, routine, concurrencyKey, repository, sender } = runs
      const atWork = sql<boolean>`(${runs.leaseUntil} > clock() or ${handedOut(unclaimedMs)}) is true`
      return db
        .select({ id, routine, concurrencyKey, repository, sender, atWork })
        .from(runs)
        .where(holding(unclaimedMs))
        .orderBy(asc(runs.createdAt))
    },

    /**
     * What was accepted or handed out by a clock that ran ahead was so just now, in the same order: it waits no longer than it
     * was to, and is not newer than what is accepted from now on.
     */
    async acceptedByNow(): Promise<void> {
      await db.execute(sql`
        with ahead as (select id, row_number() over (order by created_at desc) as place from runs where created_at > clock())
        update runs set created_at = clock() - place * interval '1 ms', caused_at = least(caused_at, clock()),
          not_before = clock() + (not_before - created_at)
        from ahead where runs.id = ahead.id`)
      await db
        .update(runs)
        .set({ dispatchedAt: sql`clock()` })
        .where(and(isNull(runs.endedAt), sql`${runs.dispatchedAt} > clock()`))
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
