import { and, asc, eq, gt, inArray, isNull, or, sql } from './sql.ts'
import { routines, routineVersions, type RoutineRow } from './schema.ts'
import { keyOfRepository } from './startable.ts'
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
     * stands for many missed slots stands for all of them until the next row, and for none after it was written; one that a clock
     * which ran ahead has written stands for none.
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
        where (s.routine is null and not coalesce((select b.reason = 'unlisted' and b.recorded_at between e.at and clock()
            from slots b where b.routine = e.routine and b.at < e.at order by b.at desc limit 1), false))
          or (s.outcome is null and s.recorded_at < clock() - make_interval(secs => ${boundMs / 1000}::double precision))`)
      return result.rows.map(({ routine, at, reason, isOwed }) => ({
        routine,
        at: new Date(at),
        owed: isOwed ? { reason } : null,
      }))
    },

    /**
     * Runs that could have started for so long and that nobody began, where nothing explains it: all workers (heard of within `aliveMs`) have their hands full, or one that limits may count together with them is
     * at work. An explanation too many costs an alert; one too few would cry wolf.
     */
    async unstarted({ lateMs, aliveMs }: { lateMs: number; aliveMs: number }) {
      const ago = (ms: number) => sql`clock() - make_interval(secs => ${ms / 1000}::double precision)`
      const slots = sql`(select coalesce(sum(slots), 0) from workers where not stopping and seen_at >= ${ago(aliveMs)})`
      const result = await db.execute<{ id: string; routine: string; since: string | Date; count: number }>(sql`
        with at_work as (select routine, ${keyOfRepository(sql`repository`)} as repository, sender from runs where ended_at is null and lease_until > clock())
        select id, routine, not_before as since, (count(*) over ())::int as count from runs r
        where ended_at is null and started_at is null and state = 'queued' and not_before < ${ago(lateMs)}
          and not (${slots} > 0 and (select count(*) from at_work) >= ${slots})
          and not exists (select from at_work w where w.routine = r.routine
            or w.repository = ${keyOfRepository(sql`r.repository`)} or w.sender = r.sender)
        order by not_before, id limit 1`)
      const [first] = result.rows
      return (
        first && { count: first.count, oldest: { id: first.id, routine: first.routine, since: new Date(first.since) } }
      )
    },
  }
}
