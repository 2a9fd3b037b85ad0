import { sql } from '../sql.ts'
import { bigserial, boolean, doublePrecision, index, integer, jsonb, pgTable, primaryKey, text } from './pg-core.ts'
import type { SandboxName } from '../../sandboxes/sandbox.ts'
import type { Reason } from '../../errors.ts'
import { clock, instant, runStates, triggers } from './columns.ts'

/** A branch and pull request as they would be made. `updates`: the number of the open one that would be updated. */
export type Proposal = {
  branch: string
  base: string
  title: string
  body: string
  draft: boolean
  labels: string[]
  reviewers: string[]
  updates: number | null
}

export const runs = pgTable(
  'runs',
  {
    id: text().primaryKey(),
    routine: text().notNull(),
    hash: text().notNull(),
    /** Where the text stood when it was fired: relative paths in it start there. */
    file: text().notNull(),
    trigger: text({ enum: triggers }).notNull(),
    triggerKey: text('trigger_key').notNull(),
    retryOf: text('retry_of'),
    inputs: jsonb().$type<Record<string, string | number | boolean>>().notNull(),
    slotAt: instant('slot_at'),
    /** Somebody waits for exactly this run: no other joins it or takes its place. */
    alone: boolean().notNull().default(false),
    /** Does all the work and publishes nothing; others never count it. */
    trial: boolean().notNull().default(false),
    /** Given on the command line (`--repository`), overriding the file's; null = the routine's. */
    repositoryOverride: text('repository_override'),
    subject: text().notNull(),
    /** Runs of one routine with the same key are held apart by `overlap`; '' = all of the routine. */
    concurrencyKey: text('concurrency_key').notNull().default(''),
    /** How many runs of that key may be at work at the same time. */
    parallel: integer().notNull().default(1),
    /** How many runs of the routine may be at work at the same time, whatever their keys; null = no limit of its own. */
    routineLimit: integer('routine_limit'),
    /** Who caused it in the outside world (a login), for limits. */
    sender: text(),
    /** How many runs stand between this one and a cause outside: 0 = none. */
    depth: integer().notNull().default(0),

    state: text({ enum: runStates }).notNull().default('queued'),
    reason: text(),
    /** One sentence about the ending, for people. */
    message: text(),
    /** The headline: what it did. */
    title: text(),
    notes: jsonb().$type<string[]>().notNull().default([]),

    /** As the routine names it; the forge's own name for it once that is known. */
    repository: text(),
    base: text(),
    baseCommit: text('base_commit'),
    sandbox: text().$type<SandboxName>(),
    engine: text().notNull(),
    /** The agent's own ending, once seen: from then on the agent is never started again. */
    exit: jsonb().$type<{
      because: 'exit' | 'aborted' | 'time_limit'
      code: number | null
      signal: string | null
      /** Its last words, for a person who asks why it failed. */
      said: string | null
      /** What it was in: what it left is looked at behind no less. */
      sandbox?: SandboxName
      /** The attempt that saw it: its folder holds what the agent left. */
      fence?: number
      /** Why the engine says it failed, where it has a name for that. */
      failure?: { reason: Reason; message: string }
    }>(),
    branch: text(),
    commit: text(),
    pull: text(),
    pullNumber: integer('pull_number'),
    pullUrl: text('pull_url'),
    /** Of a trial: what it would have posted. */
    proposal: jsonb().$type<Proposal>(),
    files: integer(),
    costUsd: doublePrecision('cost_usd'),
    /** Tokens of the model, all attempts together, as the relay counted them. */
    tokens: jsonb().$type<{ input: number; output: number; cacheRead: number; cacheWrite: number }>(),
    /** The engine's own name for its session, by which it can be taken up again. */
    session: text(),

    /** Attempts handed to the queue, and how many of them were lost (crash, not shutdown). */
    attempt: integer().notNull().default(0),
    losses: integer().notNull().default(0),
    /** How often it gave way to something outside (a forge that is down or limits us); never counted as a loss. */
    waits: integer().notNull().default(0),
    fence: integer().notNull().default(0),
    leaseOwner: text('lease_owner'),
    leaseUntil: instant('lease_until'),
    /** Handed to the queue and not yet claimed. */
    dispatchedAt: instant('dispatched_at'),
    /** Why it is still owed, for people. */
    waitsFor: text('waits_for'),
    notBefore: instant('not_before').notNull().default(clock),
    cancelRequestedAt: instant('cancel_requested_at'),
    approvedBy: text('approved_by'),
    createdAt: instant('created_at').notNull().default(clock),
    /** When the oldest of its causes came: its own, or that of a run whose place it took. */
    causedAt: instant('caused_at').notNull().default(clock),
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
    /** It has ended, and nobody has looked yet which routines follow it. */
    followersOwed: boolean('followers_owed').notNull().default(false),
    /** How often they could not be fired, and when that is tried again; null = at once. */
    followTries: integer('follow_tries').notNull().default(0),
    followNotBefore: instant('follow_not_before'),
  },
  (t) => [
    index('runs_followers_owed')
      .on(t.endedAt)
      .where(sql`followers_owed`),
    index('runs_owed')
      .on(t.notBefore)
      .where(sql`ended_at is null`),
    index('runs_holding')
      .on(t.createdAt)
      .where(sql`ended_at is null and (lease_owner is not null or dispatched_at is not null)`),
    index('runs_routine').on(t.routine, t.createdAt),
    index('runs_recent').on(t.createdAt),
    index('runs_group').on(t.routine, t.concurrencyKey, t.createdAt),
  ],
)

export const attempts = pgTable(
  'attempts',
  {
    run: text().notNull(),
    number: integer().notNull(),
    fence: integer().notNull(),
    worker: text().notNull(),
    startedAt: instant('started_at').notNull().default(clock),
    endedAt: instant('ended_at'),
    /** How this attempt ended: the run's state, or `lost`, `released` (shutdown), `retry`. */
    outcome: text(),
    error: text(),
    transcriptBytes: doublePrecision('transcript_bytes'),
    transcriptSha: text('transcript_sha'),
    transcriptTail: text('transcript_tail'),
  },
  (t) => [primaryKey({ columns: [t.run, t.fence] })],
)

/** The timeline of a run: states, steps, notes, findings. What the agent says is in the transcript files. */
export const runEvents = pgTable(
  'run_events',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    run: text().notNull(),
    fence: integer().notNull(),
    kind: text({ enum: ['state', 'step', 'note', 'gate'] }).notNull(),
    data: jsonb().$type<Record<string, unknown>>().notNull(),
    at: instant('at').notNull().default(clock),
  },
  (t) => [index('run_events_run').on(t.run, t.id)],
)

/** Processes that take runs; one that is silent for a lease is dead. */
export const workers = pgTable('workers', {
  id: text().primaryKey(),
  host: text().notNull(),
  pid: integer().notNull(),
  /** Runs it takes at the same time. */
  slots: integer().notNull(),
  startedAt: instant('started_at').notNull().default(clock),
  seenAt: instant('seen_at').notNull().default(clock),
  /** Takes nothing new: it is being shut down. */
  stopping: boolean().notNull().default(false),
})
