import { jsonb, pgTable, primaryKey, text } from './pg-core.ts'
import { bytes, clock, instant } from './columns.ts'

/** Secrets, encrypted with a key that is not in the ledger. */
export const sealedSecrets = pgTable(
  'sealed_secrets',
  {
    name: text().notNull(),
    /** Empty = any. */
    routine: text().notNull().default(''),
    repository: text().notNull().default(''),
    /** It may be sent to these, as `host` or `host:port`. */
    hosts: jsonb().$type<string[]>().notNull().default([]),
    sealed: bytes().notNull(),
    by: text().notNull(),
    at: instant('at').notNull().default(clock),
  },
  (t) => [primaryKey({ columns: [t.name, t.routine, t.repository] })],
)
