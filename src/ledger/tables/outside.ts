import { sql } from '../sql.ts'
import { bigserial, boolean, index, integer, jsonb, pgTable, text, uniqueIndex } from './pg-core.ts'
import { clock, instant } from './columns.ts'

/** Tokens of programs. The token itself is shown once and never kept. */
export const apiTokens = pgTable('api_tokens', {
  id: text().primaryKey(),
  name: text().notNull(),
  /** SHA-256 (hex) of the token. */
  hash: text().notNull().unique(),
  /** null = every routine. */
  routines: jsonb().$type<string[]>(),
  scopes: jsonb().$type<('fire' | 'read')[]>().notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: instant('created_at').notNull().default(clock),
  expiresAt: instant('expires_at'),
  revokedAt: instant('revoked_at'),
  usedAt: instant('used_at'),
})

/** What is to be told to somebody outside (a callback, an alert): sent until it was taken or its time is over. */
export const outbox = pgTable(
  'outbox',
  {
    /** Derived from its cause: the same news is one message. It is the webhook-id. */
    id: text().primaryKey(),
    /** `plan.comment`: the plan of a pull request, which is told by GitHub's API; the others are posted as they are. */
    kind: text({ enum: ['run.ended', 'alert.raised', 'alert.cleared', 'routine.paused', 'plan.comment'] }).notNull(),
    url: text().notNull(),
    body: jsonb().$type<Record<string, unknown>>().notNull(),
    tries: integer().notNull().default(0),
    error: text(),
    notBefore: instant('not_before').notNull().default(clock),
    createdAt: instant('created_at').notNull().default(clock),
    sentAt: instant('sent_at'),
    givenUpAt: instant('given_up_at'),
  },
  (t) => [
    index('outbox_owed')
      .on(t.notBefore)
      .where(sql`sent_at is null and given_up_at is null`),
  ],
)

/** Who wants to hear when a run ends. */
export const callbacks = pgTable(
  'callbacks',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    run: text().notNull(),
    firing: text().notNull(),
    url: text().notNull(),
    createdAt: instant('created_at').notNull().default(clock),
  },
  (t) => [uniqueIndex('callbacks_firing').on(t.firing, t.url), index('callbacks_run').on(t.run)],
)

/** Something that should have happened and did not. One open alert a key. */
export const alerts = pgTable(
  'alerts',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    kind: text({ enum: ['slot_unrecorded', 'run_not_started', 'routine_paused', 'followers_not_fired'] }).notNull(),
    key: text().notNull(),
    routine: text().notNull(),
    message: text().notNull(),
    raisedAt: instant('raised_at').notNull().default(clock),
    clearedAt: instant('cleared_at'),
  },
  (t) => [
    uniqueIndex('alerts_open')
      .on(t.key)
      .where(sql`cleared_at is null`),
    index('alerts_recent').on(t.raisedAt),
  ],
)

/** A source that is asked instead of telling us. */
export const polls = pgTable('polls', {
  source: text().primaryKey(),
  nextAt: instant('next_at').notNull().default(clock),
  /** The first look only learns what is there. */
  hasBaseline: boolean('has_baseline').notNull().default(false),
  etag: text(),
  lastModified: text('last_modified'),
  failures: integer().notNull().default(0),
  error: text(),
  lookedAt: instant('looked_at'),
})

/** Single values of the service as a whole: that everything is paused, how far the redelivery sweep came. */
export const settings = pgTable('settings', {
  key: text().primaryKey(),
  value: jsonb().$type<Record<string, unknown>>().notNull(),
  by: text().notNull(),
  at: instant('at').notNull().default(clock),
})
