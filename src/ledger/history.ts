import { and, desc, eq, inArray, sql } from './sql.ts'
import { inBatches } from './batches.ts'
import { audit, routineVersions } from './schema.ts'
import type { Database } from './store.ts'

/** What can happen to a routine as a whole. */
const acts = ['apply', 'remove', 'rollback', 'undo_rollback', 'pause', 'resume'] as const
type Act = (typeof acts)[number]
export type HistoryEntry = {
  at: Date
  act: Act
  by: string
  /** The version that was in force from then on; null where the act was about none. */
  hash: string | null
  commit: string | null
  /** What was said about it. */
  reason: string | null
}
type NewEntry = { actor: string; action: Act; subject: string; data: { hash?: string; from?: string | null } }
type Data = { hash?: string; reason?: string | null }

/** Which texts of a routine were in force, since when, and by whose act. */
export function createHistory(db: Database) {
  return {
    async record(entries: readonly NewEntry[]): Promise<void> {
      for (const batch of inBatches(entries)) {
        await db.execute(sql`
          insert into ${audit} (actor, action, subject, data)
          select * from json_to_recordset(${batch}::json) as given (actor text, action text, subject text, data jsonb)`)
      }
    },

    /** Newest first. */
    async of(routine: string, limit: number): Promise<HistoryEntry[]> {
      const rows = await db
        .select({ entry: audit, commit: routineVersions.commit })
        .from(audit)
        .leftJoin(
          routineVersions,
          and(eq(routineVersions.routine, audit.subject), eq(routineVersions.hash, sql`${audit.data}->>'hash'`)),
        )
        .where(and(eq(audit.subject, routine), inArray(audit.action, [...acts])))
        .orderBy(desc(audit.id))
        .limit(limit)
      return rows.map(({ entry, commit }) => {
        const { hash = null, reason = null } = entry.data as Data
        return { at: entry.at, act: entry.action as Act, by: entry.actor, hash, commit, reason }
      })
    },

    /** Hashes of texts of the routine that begin so; a text that never was in force counts, too. */
    async hashesLike(routine: string, beginning: string): Promise<string[]> {
      const rows = await db
        .select({ hash: routineVersions.hash })
        .from(routineVersions)
        .where(and(eq(routineVersions.routine, routine), sql`starts_with(${routineVersions.hash}, ${beginning})`))
        .limit(2)
      return rows.map(({ hash }) => hash)
    },
  }
}
