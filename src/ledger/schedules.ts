import { asc, eq, sql } from './sql.ts'
import { inBatches } from './batches.ts'
import { schedules, type ScheduleRow } from './schema.ts'
import type { Database } from './store.ts'

export type NewSchedule = Omit<ScheduleRow, 'routine' | 'since'>

/** When routines in force are due. */
export function createSchedules(db: Database) {
  return {
    schedules(): Promise<ScheduleRow[]> {
      return db.select().from(schedules).orderBy(asc(schedules.nextFireAt))
    },

    schedulesOf(routine: string): Promise<ScheduleRow[]> {
      return db.select().from(schedules).where(eq(schedules.routine, routine))
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
