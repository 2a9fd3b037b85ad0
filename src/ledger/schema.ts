import { sql } from 'drizzle-orm'
import {
  bigserial,
  boolean,
  customType,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core'

const bytes = customType<{ data: Buffer; driverData: Uint8Array }>({
  dataType: () => 'bytea',
  fromDriver: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength),
})
const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
/** The ledger's clock (a function of ours, made by the first migration), so that tests can move it. */
const clock = sql`clock()`

export const runStates = [
  'queued',
  'preparing',
  'working',
  'waiting',
  'parked',
  'collecting',
  'publishing',
  'needs_approval',
  'published',
  'unchanged',
  'reported',
  'failed',
  'cancelled',
  'timed_out',
  'skipped',
] as const
export type RunState = (typeof runStates)[number]
export const triggers = ['schedule', 'api', 'manual', 'retry'] as const
export type Trigger = (typeof triggers)[number]

/** Every text of a routine that was ever in force or run; runs point here by (routine, hash). */
export const routineVersions = pgTable(
  'routine_versions',
  {
    routine: text().notNull(),
    hash: text().notNull(),
    file: text().notNull(),
    source: text().notNull(),
    commit: text(),
    createdAt: instant('created_at').notNull().default(clock),
  },
  (t) => [primaryKey({ columns: [t.routine, t.hash] })],
)

/** The folder as it is in force: one row a routine; `error` is why the file on disk is not the version in force. */
export const routines = pgTable('routines', {
  name: text().primaryKey(),
  hash: text().notNull(),
  file: text().notNull(),
  error: text(),
  removedAt: instant('removed_at'),
  appliedAt: instant('applied_at').notNull().default(clock),
})

export const schedules = pgTable(
  'schedules',
  {
    routine: text().notNull(),
    cron: text().notNull(),
    timezone: text().notNull(),
    nextFireAt: instant('next_fire_at'),
  },
  (t) => [primaryKey({ columns: [t.routine, t.cron, t.timezone] }), index('schedules_due').on(t.nextFireAt)],
)

/** One due instant of a schedule and what became of it. */
export const slots = pgTable(
  'slots',
  {
    routine: text().notNull(),
    at: instant('at').notNull(),
    outcome: text({ enum: ['fired', 'coalesced', 'skipped', 'missed'] }).notNull(),
    late: boolean().notNull().default(false),
    reason: text(),
    firing: text(),
    recordedAt: instant('recorded_at').notNull().default(clock),
  },
  (t) => [primaryKey({ columns: [t.routine, t.at] })],
)

/** One received event of the outside, as it came. Written before the answer. */
export const deliveries = pgTable('deliveries', {
  id: text().primaryKey(),
  source: text().notNull(),
  event: text().notNull(),
  headers: jsonb().$type<Record<string, string>>().notNull(),
  body: bytes().notNull(),
  outcome: text({ enum: ['fired', 'coalesced', 'skipped', 'unmatched', 'refused'] }),
  reason: text(),
  receivedAt: instant('received_at').notNull().default(clock),
})

/** One occasion to act. `unique(routine, trigger_key)` is what makes the same occasion one firing. */
export const firings = pgTable(
  'firings',
  {
    id: text().primaryKey(),
    routine: text().notNull(),
    triggerKey: text('trigger_key').notNull(),
    trigger: text({ enum: triggers }).notNull(),
    outcome: text({ enum: ['accepted', 'coalesced', 'skipped'] }).notNull(),
    reason: text(),
    run: text(),
    inputs: jsonb().$type<Record<string, string | number | boolean>>().notNull(),
    at: instant('at'),
    by: text().notNull(),
    createdAt: instant('created_at').notNull().default(clock),
  },
  (t) => [uniqueIndex('firings_occasion').on(t.routine, t.triggerKey), index('firings_run').on(t.run)],
)

export const runs = pgTable(
  'runs',
  {
    id: text().primaryKey(),
    routine: text().notNull(),
    hash: text().notNull(),
    trigger: text({ enum: triggers }).notNull(),
    triggerKey: text('trigger_key').notNull(),
    retryOf: text('retry_of'),
    inputs: jsonb().$type<Record<string, string | number | boolean>>().notNull(),
    slotAt: instant('slot_at'),
    /** Given on the command line (`--repository`), overriding the file's; null = the routine's. */
    repositoryOverride: text('repository_override'),
    subject: text().notNull(),

    state: text({ enum: runStates }).notNull().default('queued'),
    reason: text(),
    /** One sentence about the ending, for people. */
    message: text(),
    /** The headline: what it did. */
    title: text(),
    notes: jsonb().$type<string[]>().notNull().default([]),

    repository: text(),
    base: text(),
    baseCommit: text('base_commit'),
    sandbox: text(),
    engine: text().notNull(),
    /** The agent's own ending, once seen: from then on the agent is never started again. */
    exit: jsonb().$type<{ because: 'exit' | 'aborted' | 'time_limit'; code: number | null; signal: string | null }>(),
    branch: text(),
    commit: text(),
    pull: text(),
    pullNumber: integer('pull_number'),
    pullUrl: text('pull_url'),
    files: integer(),
    costUsd: doublePrecision('cost_usd'),

    /** Attempts handed to the queue, and how many of them were lost (crash, not shutdown). */
    attempt: integer().notNull().default(0),
    losses: integer().notNull().default(0),
    fence: integer().notNull().default(0),
    leaseOwner: text('lease_owner'),
    leaseUntil: instant('lease_until'),
    /** Handed to the queue and not yet claimed. */
    dispatchedAt: instant('dispatched_at'),
    notBefore: instant('not_before').notNull().default(clock),
    cancelRequestedAt: instant('cancel_requested_at'),
    approvedBy: text('approved_by'),
    createdAt: instant('created_at').notNull().default(clock),
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
  },
  (t) => [
    index('runs_owed').on(t.notBefore).where(sql`ended_at is null`),
    index('runs_routine').on(t.routine, t.createdAt),
    index('runs_recent').on(t.createdAt),
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

export const patches = pgTable('patches', {
  run: text().primaryKey(),
  base: text().notNull(),
  tree: text().notNull(),
  pack: bytes().notNull(),
  changes: jsonb().$type<import('../checkout/patch.ts').Change[]>().notNull(),
  findings: jsonb().$type<import('../checkout/patch.ts').Finding[]>().notNull(),
  /** A unified diff for people, cut at 1 MiB. */
  diff: text().notNull(),
  diffCut: boolean('diff_cut').notNull(),
  createdAt: instant('created_at').notNull().default(clock),
})

/** What left the house: the branch and pull request of a run. */
export const publications = pgTable(
  'publications',
  {
    run: text().primaryKey(),
    routine: text().notNull(),
    subject: text().notNull(),
    repository: text().notNull(),
    branch: text().notNull(),
    base: text().notNull(),
    commit: text().notNull(),
    pull: text(),
    createdAt: instant('created_at').notNull().default(clock),
  },
  (t) => [index('publications_branch').on(t.repository, t.branch)],
)

/** Pull requests of the local forge. */
export const pulls = pgTable(
  'pulls',
  {
    id: text().primaryKey(),
    repository: text().notNull(),
    number: integer().notNull(),
    branch: text().notNull(),
    base: text().notNull(),
    head: text().notNull(),
    title: text().notNull(),
    body: text().notNull(),
    state: text({ enum: ['open', 'merged', 'closed'] })
      .notNull()
      .default('open'),
    draft: boolean().notNull(),
    labels: jsonb().$type<string[]>().notNull(),
    routine: text().notNull(),
    subject: text().notNull(),
    run: text().notNull(),
    mergeCommit: text('merge_commit'),
    createdAt: instant('created_at').notNull().default(clock),
    updatedAt: instant('updated_at').notNull().default(clock),
  },
  (t) => [
    uniqueIndex('pulls_number').on(t.repository, t.number),
    uniqueIndex('pulls_open_branch').on(t.repository, t.branch).where(sql`state = 'open'`),
  ],
)

export const audit = pgTable('audit', {
  id: bigserial({ mode: 'number' }).primaryKey(),
  actor: text().notNull(),
  action: text().notNull(),
  subject: text().notNull(),
  data: jsonb().$type<Record<string, unknown>>().notNull(),
  at: instant('at').notNull().default(clock),
})

export type RoutineRow = typeof routines.$inferSelect
export type RoutineVersion = typeof routineVersions.$inferSelect
export type ScheduleRow = typeof schedules.$inferSelect
export type Slot = typeof slots.$inferSelect
export type Firing = typeof firings.$inferSelect
export type Run = typeof runs.$inferSelect
export type Attempt = typeof attempts.$inferSelect
export type RunEvent = typeof runEvents.$inferSelect
export type StoredPatch = typeof patches.$inferSelect
export type Publication = typeof publications.$inferSelect
export type PullRow = typeof pulls.$inferSelect
