import { and, asc, desc, eq, gte, inArray, isNull, like, lt, or, sql, type SQL } from './sql.ts'
import { recordEnding } from './endings.ts'
import { attempts, runs, type Attempt, type Run, type RunState } from './schema.ts'
import type { Database } from './store.ts'

export type NewRun = typeof runs.$inferInsert
export type RunFilter = {
  routine?: string
  /** Only of these. */
  among?: readonly string[]
  states?: readonly RunState[]
  before?: Date
  endedSince?: Date
  limit?: number
}

/** What was asked for and what became of it. Writes of a worker go through `held-run.ts`, which knows the fence. */
export function createRuns(db: Database) {
  return {
    async insert(run: NewRun): Promise<Run> {
      const rows = await db.insert(runs).values(run).returning()
      return rows[0]!
    },

    async find(id: string): Promise<Run | undefined> {
      const rows = await db.select().from(runs).where(eq(runs.id, id))
      return rows[0]
    },

    /** The run as it is now and stays until this transaction ends. */
    async lock(id: string): Promise<Run | undefined> {
      const rows = await db.select().from(runs).where(eq(runs.id, id)).for('update')
      return rows[0]
    },

    /** At most two runs whose id begins so: one = found, two = ambiguous. */
    startingWith(prefix: string): Promise<Run[]> {
      return db
        .select()
        .from(runs)
        .where(like(runs.id, `${prefix.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`))
        .limit(2)
    },

    list(filter: RunFilter = {}): Promise<Run[]> {
      const where: (SQL | undefined)[] = [
        filter.routine === undefined ? undefined : eq(runs.routine, filter.routine),
        filter.among === undefined ? undefined : inArray(runs.routine, [...filter.among]),
        filter.states === undefined ? undefined : inArray(runs.state, [...filter.states]),
        filter.before === undefined ? undefined : lt(runs.createdAt, filter.before),
        filter.endedSince === undefined ? undefined : gte(runs.endedAt, filter.endedSince),
      ]
      return db
        .select()
        .from(runs)
        .where(and(...where))
        .orderBy(desc(runs.createdAt), desc(runs.id))
        .limit(filter.limit ?? 50)
    },

    /** The newest run behind each of these pull requests, and those before it. */
    async withPulls(pulls: readonly string[]): Promise<Run[]> {
      if (pulls.length === 0) return []
      return db
        .select()
        .from(runs)
        .where(inArray(runs.pull, [...pulls]))
        .orderBy(desc(runs.createdAt))
        .limit(200)
    },

    /** Another occasion joined it. */
    async takeAlong(id: string, changes: Pick<Run, 'notBefore' | 'depth'>): Promise<void> {
      await db.update(runs).set(changes).where(eq(runs.id, id))
    },

    /** Unfinished runs, for cleaning up after a killed service. */
    unfinished(): Promise<Run[]> {
      return db.select().from(runs).where(isNull(runs.endedAt))
    },

    /** Ends a run that no worker holds. False when it has ended or is held. */
    async endUnheld(id: string, ending: { state: RunState; reason: string; message: string }): Promise<boolean> {
      const rows = await db
        .update(runs)
        .set({
          ...ending,
          endedAt: sql`clock()`,
          followersOwed: sql`not ${runs.trial}`,
          leaseOwner: null,
          leaseUntil: null,
          dispatchedAt: null,
        })
        .where(and(eq(runs.id, id), isNull(runs.endedAt), unheld()))
        .returning()
      if (rows[0]) await recordEnding(db, rows[0])
      return rows[0] !== undefined
    },

    /**
     * Whichever process holds the run hears of it after the commit; one that misses the news sees it at its next renewal. `why`:
     * how it is to end where no person asked.
     */
    async requestCancel(id: string, why: Partial<Pick<Run, 'reason' | 'message'>> = {}): Promise<boolean> {
      const rows = await db
        .update(runs)
        .set({ cancelRequestedAt: sql`clock()`, ...why })
        .where(and(eq(runs.id, id), isNull(runs.endedAt)))
        .returning({ told: sql`pg_notify('overnight_cancel', ${runs.id})` })
      return rows.length === 1
    },

    /** What is known of an earlier run whose change this one publishes. */
    async inherit(id: string, from: Run): Promise<void> {
      const { repository, base, baseCommit, title, notes, sandbox, files, approvedBy } = from
      // Without the attempt that saw the end: its folder belongs to the other run.
      const { fence: _fence, ...exit } = from.exit ?? {
        because: 'aborted' as const,
        code: null,
        signal: null,
        said: null,
      }
      const known = { repository, base, baseCommit, title, notes, sandbox, files, approvedBy, exit }
      await db.update(runs).set(known).where(eq(runs.id, id))
    },

    /** needs_approval → publishing: owed again. False when it was not resting there. */
    async approve(id: string, by: string): Promise<boolean> {
      const rows = await db
        .update(runs)
        .set({ state: 'publishing', reason: null, message: null, approvedBy: by, waits: 0, notBefore: sql`clock()` })
        .where(and(eq(runs.id, id), eq(runs.state, 'needs_approval')))
        .returning({ id: runs.id })
      return rows.length === 1
    },

    attemptsOf(run: string): Promise<Attempt[]> {
      return db.select().from(attempts).where(eq(attempts.run, run)).orderBy(asc(attempts.fence))
    },
  }
}

/** No worker holds it: never claimed, given back, or its lease ran out by the ledger's clock. */
export function unheld(): SQL | undefined {
  return or(isNull(runs.leaseUntil), sql`${runs.leaseUntil} <= clock()`)
}
