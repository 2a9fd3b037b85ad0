import { and, eq, isNull, sql } from 'drizzle-orm'
import { FenceLost } from '../errors.ts'
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
    | 'pull'
    | 'pullNumber'
    | 'pullUrl'
    | 'files'
    | 'costUsd'
    | 'subject'
  >
>
export type Ending = { state: RunState; reason: string | null; message: string | null }
export type Tell = { kind: RunEvent['kind']; data: Record<string, unknown> }
export type TranscriptSummary = { bytes: number; sha256: string; tail: string }

/** The run as its present owner holds it: every write names the fence, and an old fence's write throws FenceLost. */
export type HeldRun = ReturnType<typeof holdRun>

export function holdRun(database: Database, held: { id: string; fence: number }, leaseMs: number) {
  const mine = and(eq(runs.id, held.id), eq(runs.fence, held.fence), isNull(runs.endedAt))
  const lease = sql`clock() + make_interval(secs => ${leaseMs / 1000}::double precision)`

  async function write(db: Database, set: Partial<typeof runs.$inferInsert> | Record<string, unknown>): Promise<Run> {
    const rows = await db.update(runs).set(set).where(mine).returning()
    const row = rows[0]
    if (!row) throw new FenceLost(held.id, held.fence)
    return row
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

    /** Extends the lease; tells whether a person asked to cancel. */
    async renew(): Promise<{ cancelRequested: boolean }> {
      const row = await write(database, { leaseUntil: lease })
      return { cancelRequested: row.cancelRequestedAt !== null }
    },

    tell: (event: Tell) =>
      database.transaction(async (tx) => {
        await write(tx, { leaseUntil: lease })
        await tell(tx, event)
      }),

    /** A new state and what is known by now, with its line on the timeline; one transaction. */
    advance: (state: RunState, facts: Facts = {}) =>
      database.transaction(async (tx) => {
        const row = await write(tx, { state, leaseUntil: lease, ...facts })
        await tell(tx, { kind: 'state', data: { state } })
        return row
      }),

    record: (facts: Facts) => write(database, { leaseUntil: lease, ...facts }),

    storePatch: ({ pack, ...patch }: Omit<StoredPatch, 'run' | 'createdAt'>) =>
      database.transaction(async (tx) => {
        await write(tx, { leaseUntil: lease, files: patch.changes.length })
        await tx
          .insert(patches)
          .values({ run: held.id, ...patch })
          .onConflictDoNothing()
        await writePack(tx, held.id, pack)
      }),

    storePublication: (publication: Omit<Publication, 'run' | 'createdAt'>) =>
      database.transaction(async (tx) => {
        await write(tx, { leaseUntil: lease, branch: publication.branch, commit: publication.commit })
        const row = { run: held.id, ...publication }
        await tx.insert(publications).values(row).onConflictDoUpdate({ target: publications.run, set: publication })
      }),

    storeTranscript: async (summary: TranscriptSummary) => {
      await database
        .update(attempts)
        .set({ transcriptBytes: summary.bytes, transcriptSha: summary.sha256, transcriptTail: summary.tail })
        .where(and(eq(attempts.run, held.id), eq(attempts.fence, held.fence)))
    },

    /** Final: no later write of anybody changes it. `needs_approval` rests instead of ending. */
    end: (ending: Ending, facts: Facts = {}) =>
      database.transaction(async (tx) => {
        const endedAt = ending.state === 'needs_approval' ? null : sql`clock()`
        await write(tx, { ...facts, ...ending, endedAt, leaseOwner: null, leaseUntil: null })
        await closeAttempt(tx, ending.state, ending.message)
        await tell(tx, { kind: 'state', data: { ...ending } })
      }),

    /** Gives the run back unfinished: at once (shutdown) or after `delayMs` (an infrastructure failure, which counts). */
    release: (why: { outcome: 'released' | 'retry'; error: string | null; delayMs: number }) =>
      database.transaction(async (tx) => {
        await write(tx, {
          leaseOwner: null,
          leaseUntil: null,
          notBefore: sql`clock() + make_interval(secs => ${why.delayMs / 1000}::double precision)`,
          ...(why.outcome === 'retry' ? { losses: sql`${runs.losses} + 1` } : {}),
        })
        await closeAttempt(tx, why.outcome, why.error)
        await tell(tx, {
          kind: 'note',
          data: { text: why.error ?? 'the service is stopping; the run goes on at the next start' },
        })
      }),
  }
}
