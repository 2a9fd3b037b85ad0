import { and, asc, desc, eq, gte, lte, ne, sql } from 'drizzle-orm'
import { routines, schedules, slots, type ScheduleRow, type Slot } from './schema.ts'
import type { Database } from './store.ts'

/** Due instants of schedules, and what became of each. */
export function createSlots(db: Database) {
  return {
    /** Schedules that are due by the ledger's clock, locked until the transaction ends; another scheduler skips them. */
    due(limit: number): Promise<ScheduleRow[]> {
      return db
        .select()
        .from(schedules)
        .where(lte(schedules.nextFireAt, sql`clock()`))
        .orderBy(asc(schedules.nextFireAt))
        .limit(limit)
        .for('update', { skipLocked: true })
    },

    /** What `due` would find of one routine, or of all that are not paused themselves. */
    overdue(routine?: string): Promise<ScheduleRow[]> {
      const mine =
        routine === undefined
          ? sql`not exists (select from ${routines} where name = ${schedules.routine} and paused_at is not null)`
          : eq(schedules.routine, routine)
      return db
        .select()
        .from(schedules)
        .where(and(lte(schedules.nextFireAt, sql`clock()`), mine))
        .orderBy(asc(schedules.routine))
        .for('update')
    },

    async moveSchedule(row: ScheduleRow, nextFireAt: Date | null): Promise<void> {
      await db
        .update(schedules)
        .set({ nextFireAt })
        .where(
          and(eq(schedules.routine, row.routine), eq(schedules.cron, row.cron), eq(schedules.timezone, row.timezone)),
        )
    },

    /** Then nothing may fire for this instant again. */
    async isRecorded(routine: string, at: Date): Promise<boolean> {
      return (await db.$count(slots, and(eq(slots.routine, routine), eq(slots.at, at)))) > 0
    },

    /** False when this slot was recorded before. */
    async record(slot: Omit<Slot, 'recordedAt'>): Promise<boolean> {
      const rows = await db.insert(slots).values(slot).onConflictDoNothing().returning({ at: slots.at })
      return rows.length === 1
    },

    async recordMissed(missed: readonly Pick<Slot, 'routine' | 'at' | 'reason'>[]): Promise<void> {
      for (let start = 0; start < missed.length; start += 1000) {
        const rows = missed
          .slice(start, start + 1000)
          .map((slot) => ({ ...slot, outcome: 'missed' as const, late: false }))
        await db.insert(slots).values(rows).onConflictDoNothing()
      }
    },

    /** Slots for which nothing was started, newest first. */
    idleSince(since: Date, limit: number): Promise<Slot[]> {
      return db
        .select()
        .from(slots)
        .where(and(ne(slots.outcome, 'fired'), gte(slots.at, since)))
        .orderBy(desc(slots.at))
        .limit(limit)
    },
  }
}
