import { asc, eq, sql } from './sql.ts'
import { inBatches } from './batches.ts'
import { schedules, type ScheduleRow } from './schema.ts'
import type { Database } from './store.ts'

export type NewSchedule = Omit<ScheduleRow, 'routine' | 'since'>

type Times = Pick<ScheduleRow, 'cron' | 'timezone'>
export type Standing = Times & { last: Date | null }
export type Due = Times & { next: Date }

/** When routines in force are due. */
export function createSchedules(db: Database) {
  return {
    schedules(): Promise<ScheduleRow[]> {
      return db.select().from(schedules).orderBy(asc(schedules.nextFireAt))
    },

    schedulesOf(routine: string): Promise<ScheduleRow[]> {
      return db.select().from(schedules).where(eq(schedules.routine, routine))
    },

    /** What is due after now or never, each cron and zone once, however many routines have it; `last` null = never. */
    async ahead(): Promise<{ now: Date; standing: Standing[] }> {
      const result = await db.execute<{
        now: string | Date
        cron: string
        timezone: string
        last: string | Date | null
      }>(sql`
        select clock() as now, cron, timezone, case when count(next_fire_at) = count(*) then max(next_fire_at) end as last
        from schedules where next_fire_at is null or next_fire_at > clock() group by cron, timezone`)
      const standing = result.rows.map(({ cron, timezone, last }) => ({
        cron,
        timezone,
        last: last === null ? null : new Date(last),
      }))
      return { now: new Date(result.rows[0]?.now ?? 0), standing }
    },

    /** None of these is due later than `next`. Answers how many were. */
    async pullBack(wanted: readonly Due[]): Promise<number> {
      let pulled = 0
      for (const batch of inBatches(wanted)) {
        const result = await db.execute<{ routine: string }>(sql`
          update schedules s set next_fire_at = w.next
          from json_to_recordset(${batch}::json) as w (cron text, timezone text, next timestamptz)
          where s.cron = w.cron and s.timezone = w.timezone and (s.next_fire_at is null or s.next_fire_at > w.next)
          returning s.routine`)
        pulled += result.rows.length
      }
      return pulled
    },

    /**
     * Makes these the schedules of each routine. One that stays keeps its next instant (it may be overdue); a new one, or one that
     * had none, starts from `nextFireAt`.
     */
    async replaceSchedules(wanted: readonly { routine: string; schedules: readonly NewSchedule[] }[]): Promise<void> {
      for (const batch of inBatches(wanted)) {
        await db.execute(sql`
          delete from ${schedules} using json_to_recordset(${batch}::json) as given (routine text, schedules json)
          where ${schedules}.routine = given.routine and not exists (
            select from json_to_recordset(given.schedules) as kept (cron text, timezone text)
            where kept.cron = ${schedules}.cron and kept.timezone = ${schedules}.timezone)`)
        await db.execute(sql`
          insert into ${schedules} (routine, cron, timezone, next_fire_at, catch_up)
          select given.routine, wanted.* from json_to_recordset(${batch}::json) as given (routine text, schedules json),
            json_to_recordset(given.schedules) as wanted (cron text, timezone text, "nextFireAt" timestamptz, "catchUp" jsonb)
          on conflict (routine, cron, timezone) do update set
            next_fire_at = coalesce(${schedules}.next_fire_at, excluded.next_fire_at), catch_up = excluded.catch_up`)
      }
    },
  }
}
