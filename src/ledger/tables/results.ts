import { sql } from '../sql.ts'
import { bigserial, boolean, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from './pg-core.ts'
import type { Change, Finding } from '../../checkout/patch.ts'
import { bytes, clock, instant } from './columns.ts'

export const patches = pgTable('patches', {
  run: text().primaryKey(),
  base: text().notNull(),
  tree: text().notNull(),
  changes: jsonb().$type<Change[]>().notNull(),
  findings: jsonb().$type<Finding[]>().notNull(),
  /** A unified diff for people, cut at 1 MiB. */
  diff: text().notNull(),
  diffCut: boolean('diff_cut').notNull(),
  createdAt: instant('created_at').notNull().default(clock),
})

/** The pack of a patch in pieces of a mebibyte: one row of 64 MiB would cost the embedded store a gigabyte of memory for good. */
export const packPieces = pgTable(
  'pack_pieces',
  {
    run: text().notNull(),
    piece: integer().notNull(),
    bytes: bytes().notNull(),
  },
  (t) => [primaryKey({ columns: [t.run, t.piece] })],
)

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
    uniqueIndex('pulls_open_branch')
      .on(t.repository, t.branch)
      .where(sql`state = 'open'`),
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
