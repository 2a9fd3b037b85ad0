import { sql } from '../sql.ts'
import { boolean, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from './pg-core.ts'
import type { CatchUp } from '../../routines/routine.ts'
import { bytes, clock, instant, triggers } from './columns.ts'

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
  /** While paused its slots and events are recorded as skipped; people may still fire it. */
  pausedAt: instant('paused_at'),
  pausedBy: text('paused_by'),
  pauseReason: text('pause_reason'),
  /** Slots are owed, and failures counted, from here on. */
  resumedAt: instant('resumed_at'),
  /** Rolled back: `hash` stays in force for as long as the file's own text is this one. */
  rolledBackFrom: text('rolled_back_from'),
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
    /** Slots are owed from here on. */
    since: instant('since').notNull().default(clock),
    /** The routine's own rule, so that no text has to be read to know what is due. */
    catchUp: jsonb('catch_up').$type<CatchUp>().notNull().default({ mode: 'last', maxAgeMs: 21_600_000, max: 100 }),
  },
  (t) => [primaryKey({ columns: [t.routine, t.cron, t.timezone] }), index('schedules_due').on(t.nextFireAt)],
)

/** One due instant of a schedule and what became of it. */
export const slots = pgTable(
  'slots',
  {
    routine: text().notNull(),
    at: instant('at').notNull(),
    /** null = still owed (blocked): the row is on disk, what becomes of it is a transaction of its own. */
    outcome: text({ enum: ['fired', 'coalesced', 'skipped', 'missed'] }),
    late: boolean().notNull().default(false),
    reason: text(),
    firing: text(),
    recordedAt: instant('recorded_at').notNull().default(clock),
  },
  (t) => [
    primaryKey({ columns: [t.routine, t.at] }),
    index('slots_recent').on(t.at),
    index('slots_owed')
      .on(t.at)
      .where(sql`outcome is null`),
  ],
)

/**
 * One received event of the outside, as it came. Written before the answer; what becomes of it is a transaction of its own, begun
 * again until there is an outcome.
 */
export const deliveries = pgTable(
  'deliveries',
  {
    /** Derived from source and key: the same delivery again is the same row. */
    id: text().primaryKey(),
    /** `github`, or the name of a file in webhooks/. */
    source: text().notNull(),
    /** What the sender calls it (X-GitHub-Delivery, webhook-id, …), or a hash of the body where it has no name. */
    key: text().notNull(),
    /** A hash of what was signed, where a time is signed with it: the same again is a copy, whatever name it goes by. */
    signed: text(),
    event: text().notNull(),
    /** Those that say something; never a signature or a credential. */
    headers: jsonb().$type<Record<string, string>>().notNull(),
    body: bytes().notNull(),
    /** When it was emptied: everything else of the row stays. */
    bodyRemovedAt: instant('body_removed_at'),
    /** Known once it was read: for lists and filters. */
    action: text(),
    repository: text(),
    sender: text(),
    /** `pr-7`, `issue-12`, or what else it is about. */
    subject: text(),
    outcome: text({ enum: ['fired', 'coalesced', 'skipped', 'unmatched', 'refused'] }),
    reason: text(),
    /** A person asked for it again: an occasion of its own. */
    replayOf: text('replay_of'),
    /** How often settling it failed, the last error, and when it is tried again. */
    tries: integer().notNull().default(0),
    error: text(),
    notBefore: instant('not_before').notNull().default(clock),
    receivedAt: instant('received_at').notNull().default(clock),
    settledAt: instant('settled_at'),
  },
  (t) => [
    index('deliveries_owed')
      .on(t.notBefore)
      .where(sql`outcome is null`),
    index('deliveries_recent').on(t.receivedAt),
    uniqueIndex('deliveries_signed')
      .on(t.source, t.signed)
      .where(sql`signed is not null`),
    index('deliveries_kept')
      .on(t.settledAt)
      .where(sql`settled_at is not null and body_removed_at is null`),
  ],
)

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
    /** The delivery that caused it: its body is the event. */
    delivery: text(),
    /** The event where no delivery holds it: what an API caller said, the run another routine ended with. */
    payload: jsonb().$type<Record<string, unknown>>(),
    /** When it was removed, as the body of a delivery is. */
    payloadRemovedAt: instant('payload_removed_at'),
    createdAt: instant('created_at').notNull().default(clock),
  },
  (t) => [
    uniqueIndex('firings_occasion').on(t.routine, t.triggerKey),
    index('firings_run').on(t.run),
    index('firings_delivery').on(t.delivery),
    index('firings_recent').on(t.routine, t.createdAt),
    index('firings_kept')
      .on(t.createdAt)
      .where(sql`payload is not null`),
  ],
)
