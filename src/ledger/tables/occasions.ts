import { boolean, index, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
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
