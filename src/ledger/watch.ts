import { and, asc, eq, gt, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import { routines, routineVersions, runs, type RoutineRow } from './schema.ts'
import type { Database } from './store.ts'

/** How far the watch has read: routines by the instant they were put in force. */
export type Read = { at: Date; name: string }
export type ExpectedSlot = { routine: string; at: Date }
export type Unsettled = ExpectedSlot & { owed: { reason: string | null } | null }

/** What the dead-man's watch asks: bounded however many routines there are, and nothing of what schedulers write for themselves. */
export function createWatchQueries(db: Database) {
  return {
    /** Texts put in force after `read`, in that order. */
    textsAfter(read: Read | undefined, limit: number) {
      const { name } = routines
      // As exact as the instant that `read` was made of.
      const appliedAt = sql<Date>`date_trunc('milliseconds', ${routines.appliedAt})`
      const at = read?.at.toISOString()
      const isLater = read && or(sql`${appliedAt} > ${at}`, and(sql`${appliedAt} = ${at}`, gt(name, read.name)))
      return db
        .select({ row: routines, source: routineVersions.source })
        .from(routines)
        .innerJoin(routineVersions, and(eq(routineVersions.routine, name), eq(routineVersions.hash, routines.hash)))
        .where(and(isNull(routines.removedAt), isLater))
        .orderBy(asc(appliedAt), asc(name))
        .limit(limit)
    },

    standingOf(names: readonly string[]): Promise<RoutineRow[]> {
      return db
        .select()
        .from(routines)
        .where(inArray(routines.name, [...names]))
    },

    /**
     * Of these slots those without a row, and those whose row says for longer than `boundMs` that it is owed. A row that
     * stands for many missed slots stands for all of them until the next row.
     */
    async unsettled(expected: readonly ExpectedSlot[], boundMs: number): Promise<Unsettled[]> {
      if (expected.length === 0) return []
      const result = await db.execute<{
        routine: string
        at: string | Date
        reason: string | null
        isOwed: boolean
      }>(sql`
        select e.routine, e.at, s.reason, s.routine is not null as "isOwed"
        from jsonb_to_recordset(${JSON.stringify(expected)}::text::jsonb) as e(routine text, at timestamptz)
        left join slots s on s.routine = e.routine and s.at = e.at
        where (s.routine is null and coalesce((select b.reason from slots b where b.routine = e.routine and b.at < e.at
            order by b.at desc limit 1), '') <> 'unlisted')
          or (s.outcome is null and s.recorded_at < clock() - make_interval(secs => ${boundMs / 1000}::double precision))`)
      return result.rows.map(({ routine, at, reason, isOwed }) => ({
        routine,
        at: new Date(at),
        owed: isOwed ? { reason } : null,
      }))
    },

    /** Runs that could have started for so long, that nobody began, and that do not say what they wait for. */
    async unstarted(boundMs: number) {
      const isLate = lt(runs.notBefore, sql`clock() - make_interval(secs => ${boundMs / 1000}::double precision)`)
      const where = and(
        isLate,
        isNull(runs.endedAt),
        isNull(runs.startedAt),
        isNull(runs.waitsFor),
        eq(runs.state, 'queued'),
      )
      const rows = await db
        .select({
          id: runs.id,
          routine: runs.routine,
          since: runs.notBefore,
          count: sql<number>`(count(*) over ())::int`,
        })
        .from(runs)
        .where(where)
        .orderBy(asc(runs.notBefore), asc(runs.id))
        .limit(1)
      const [first] = rows
      if (!first) return undefined
      const { count, ...oldest } = first
      return { count, oldest }
    },
  }
}
