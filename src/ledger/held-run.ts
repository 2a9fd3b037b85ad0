import { and, eq, getTableColumns, isNotNull, isNull, sql } from './sql.ts'
import { FenceLost } from '../errors.ts'
import { recordEnding } from './endings.ts'
import { answeredWithin, createInsist, isCommitted, transactionId, type Patience } from './insist.ts'
import { writePack } from './packs.ts'
import {
  attempts,
  patches,
  publications,
  runEvents,
  runs,
  type Publication,
  type Run,
  type RunEvent,
  type RunState,
  type StoredPatch,
} from './schema.ts'
import type { Database } from './store.ts'

/** What a worker may write about its run while it goes. */
export type Facts = Partial<
  Pick<
    Run,
    | 'title'
    | 'notes'
    | 'repository'
    | 'base'
    | 'baseCommit'
    | 'sandbox'
    | 'exit'
    | 'branch'
    | 'commit'
    | 'proposal'
    | 'pull'
    | 'pullNumber'
    | 'pullUrl'
    | 'files'
    | 'costUsd'
    | 'tokens'
    | 'session'
    | 'subject'
  >
>
export type Ending = { state: RunState; reason: string | null; message: string | null }
export type Tell = { kind: RunEvent['kind']; data: Record<string, unknown> }
type Changes = Partial<typeof runs.$inferInsert> | Record<string, unknown>
export type TranscriptSummary = { bytes: number; sha256: string; tail: string }

/**
 * The run as its present owner holds it: every write names the fence, and an old fence's write throws FenceLost. A ledger
 * that is away is waited for with patience, as nobody else can reach it either; a commit whose answer was lost is looked up, not repeated.
 */
export type HeldRun = ReturnType<typeof holdRun>

/** What else belongs to an ending is written in its transaction. */
export type AlsoAtTheEnd = (tx: Database, run: Run) => Promise<void>

export function holdRun(
  database: Database,
  held: { id: string; fence: number },
  patience: Patience & { alsoAtTheEnd?: AlsoAtTheEnd },
) {
  const { leaseMs } = patience
  const mine = and(eq(runs.id, held.id), eq(runs.fence, held.fence), isNull(runs.endedAt))
  const lease = sql`clock() + make_interval(secs => ${leaseMs / 1000}::double precision)`
  const insist = createInsist(patience)

  async function write(db: Database, set: Changes, where = mine): Promise<{ run: Run; transaction: string }> {
    const rows = await db
      .update(runs)
      .set(set)
      .where(where)
      .returning({ ...getTableColumns(runs), transaction: transactionId })
    const row = rows[0]
    if (!row) throw new FenceLost(held.id, held.fence)
    const { transaction, ...run } = row
    return { run, transaction }
  }
  const writeOnly = (set: Changes): Promise<Run> => insist(async () => (await write(database, set)).run)

  /** The run's row first, which keeps everybody else out, then what belongs to it. */
  async function writeWith(set: Changes, more: (tx: Database, run: Run) => Promise<void>): Promise<Run> {
    const state = { sent: undefined as { run: Run; transaction: string } | undefined }
    return insist(async () => {
      if (state.sent && (await isCommitted(database, state.sent.transaction))) return state.sent.run
      state.sent = undefined
      return database.transaction(async (tx) => {
        const written = await write(tx, set)
        await more(tx, written.run)
        state.sent = written
        return written.run
      })
    })
  }
  async function tell(db: Database, event: Tell): Promise<void> {
    await db.insert(runEvents).values({ run: held.id, fence: held.fence, kind: event.kind, data: event.data })
    await db.execute(sql`select pg_notify('overnight_runs', ${held.id})`)
  }
  async function closeAttempt(db: Database, outcome: string, error: string | null): Promise<void> {
    await db
      .update(attempts)
      .set({ outcome, error, endedAt: sql`clock()` })
      .where(and(eq(attempts.run, held.id), eq(attempts.fence, held.fence)))
  }

  return {
    id: held.id,
    fence: held.fence,

    /**
     * Extends the lease; tells whether somebody asked to cancel, and why. A try takes a third of the lease at most; one that is late
     * does not hold a run that was given back meanwhile.
     */
    async renew(): Promise<{ cancelRequested: boolean } & Pick<Run, 'reason' | 'message'>> {
      const owned = and(mine, isNotNull(runs.leaseOwner))
      const { run } = await insist(() => answeredWithin(leaseMs / 3, write(database, { leaseUntil: lease }, owned)))
      return { cancelRequested: run.cancelRequestedAt !== null, reason: run.reason, message: run.message }
    },

    async tell(event: Tell): Promise<void> {
      await writeWith({ leaseUntil: lease }, (tx) => tell(tx, event))
    },

    /** A new state and what is known by now, with its line on the timeline; one transaction. */
    advance: (state: RunState, facts: Facts = {}) =>
      writeWith({ state, leaseUntil: lease, ...facts }, (tx) => tell(tx, { kind: 'state', data: { state } })),

    record: (facts: Facts) => writeOnly({ leaseUntil: lease, ...facts }),

    async storePatch({ pack, ...patch }: Omit<StoredPatch, 'run' | 'createdAt'>): Promise<void> {
      await writeWith({ leaseUntil: lease, files: patch.changes.length }, async (tx) => {
        await tx
          .insert(patches)
          .values({ run: held.id, ...patch })
          .onConflictDoNothing()
        await writePack(tx, held.id, pack)
      })
    },

    async storePublication(publication: Omit<Publication, 'run' | 'createdAt'>): Promise<void> {
      const { branch, commit } = publication
      await writeWith({ leaseUntil: lease, branch, commit }, async (tx) => {
        const row = { run: held.id, ...publication }
        await tx.insert(publications).values(row).onConflictDoUpdate({ target: publications.run, set: publication })
      })
    },

    storeTranscript: (summary: TranscriptSummary): Promise<void> =>
      insist(async () => {
        await database
          .update(attempts)
          .set({ transcriptBytes: summary.bytes, transcriptSha: summary.sha256, transcriptTail: summary.tail })
          .where(and(eq(attempts.run, held.id), eq(attempts.fence, held.fence)))
      }),

    /** Final: no later write of anybody changes it. `needs_approval` rests instead of ending. */
    async end(ending: Ending, facts: Facts = {}): Promise<void> {
      const endedAt = ending.state === 'needs_approval' ? null : sql`clock()`
      const over = {
        endedAt,
        followersOwed: endedAt === null ? false : sql`not ${runs.trial}`,
        leaseOwner: null,
        leaseUntil: null,
      }
      await writeWith({ ...facts, ...ending, ...over }, async (tx, run) => {
        await closeAttempt(tx, ending.state, ending.message)
        await tell(tx, { kind: 'state', data: { ...ending } })
        if (!run.endedAt) return
        await recordEnding(tx, run)
        await patience.alsoAtTheEnd?.(tx, run)
      })
    },

    /**
     * Gives the run back unfinished: at once (shutdown), or after `delayMs`: `retry` counts as a loss, `wait` gives way to
     * something outside and does not.
     */
    async release(why: {
      outcome: 'released' | 'retry' | 'wait'
      error: string | null
      delayMs: number
    }): Promise<void> {
      const given = {
        leaseOwner: null,
        leaseUntil: null,
        notBefore: sql`clock() + make_interval(secs => ${why.delayMs / 1000}::double precision)`,
        ...(why.outcome === 'retry' ? { losses: sql`${runs.losses} + 1` } : {}),
        ...(why.outcome === 'wait' ? { waits: sql`${runs.waits} + 1` } : {}),
      }
      await writeWith(given, async (tx) => {
        await closeAttempt(tx, why.outcome, why.error)
        await tell(tx, {
          kind: 'note',
          data: { text: why.error ?? 'the service is stopping; the run goes on at the next start' },
        })
      })
    },
  }
}
