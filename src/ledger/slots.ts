import { and, asc, desc, eq, gte, inArray, isNull, lt, lte, ne, or, sql } from './sql.ts'
import { routines, schedules, slots, type ScheduleRow, type Slot } from './schema.ts'
import type { Database } from './store.ts'

/** Where a schedule goes on; `seen` is where it stood when its slots were found. */
export type Move = Pick<ScheduleRow, 'routine' | 'cron' | 'timezone'> & { seen: Date | null; next: Date | null }
export type NewSlot = Pick<Slot, 'routine' | 'at' | 'outcome' | 'late' | 'reason'>
export type SlotEnding = Pick<Slot, 'outcome' | 'reason' | 'firing'>

/** Due instants of schedules, and what became of each. */
export function createSlots(db: Database) {
  const one = (slot: Pick<Slot, 'routine' | 'at'>) => and(eq(slots.routine, slot.routine), eq(slots.at, slot.at))
  return {
    /** What is due by the ledger's clock, of that many routines at most: of a routine all, because its rule is about all. */
    async due(limit: number): Promise<{ now: Date; schedules: ScheduleRow[] }> {
      // Alone it is one look into the index, which is all that an idle second costs.
      const first = await db.execute<{ now: string | Date; routine: string | null }>(sql`
        select look.now, due.routine from (select clock() as now) look left join lateral (
          select routine from schedules where next_fire_at <= look.now order by next_fire_at limit ${limit}) due on true`)
      const now = new Date(first.rows[0]!.now)
      const names = [...new Set(first.rows.flatMap(({ routine }) => routine ?? []))]
      if (names.length === 0) return { now, schedules: [] }
      const rows = await db
        .select()
        .from(schedules)
        .where(and(inArray(schedules.routine, names), lte(schedules.nextFireAt, now)))
        .orderBy(asc(schedules.routine))
      return { now, schedules: rows }
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

    /** What is due of these routines, for whoever is about to replace their schedules. */
    overdueOf(names: readonly string[], now: Date): Promise<ScheduleRow[]> {
      const mine = sql`${schedules.routine} in (select json_array_elements_text(${JSON.stringify(names)}::json))`
      return db
        .select()
        .from(schedules)
        .where(and(lte(schedules.nextFireAt, now), mine))
        .orderBy(asc(schedules.routine))
        .for('update')
    },

    /**
     * Slots become rows and their schedules go on, in one statement: no lock outlives it, so a scheduler that dies or freezes
     * stops no other. A schedule that another one has moved, or is moving, stays as it is, and of its routine nothing is
     * written unless another schedule of it was moved here. Answers how many were moved.
     */
    async accept(moves: readonly Move[], due: readonly NewSlot[]): Promise<number> {
      // What was set by other means than ours may be finer than a millisecond, and must match all the same.
      const result = await db.execute<{ moved: number }>(sql`
        with wanted as (
          select * from jsonb_to_recordset(${JSON.stringify(moves)}::text::jsonb)
            as w(routine text, cron text, timezone text, seen timestamptz, next timestamptz)
        ), mine as (
          select s.routine, s.cron, s.timezone, w.next from schedules s join wanted w using (routine, cron, timezone)
          where date_trunc('milliseconds', s.next_fire_at) = w.seen for update of s skip locked
        ), moved as (
          update schedules s set next_fire_at = m.next from mine m
          where s.routine = m.routine and s.cron = m.cron and s.timezone = m.timezone returning s.routine
        ), written as (
          insert into slots (routine, at, outcome, late, reason)
          select * from jsonb_to_recordset(${JSON.stringify(due)}::text::jsonb)
            as d(routine text, at timestamptz, outcome text, late boolean, reason text)
          where routine in (select routine from moved) on conflict do nothing
        ) select count(*)::int as moved from moved`)
      return result.rows[0]?.moved ?? 0
    },

    /**
     * Takes back what was said of instants that have not come, which a clock that ran ahead did; what was fired stays. Answers
     * how many slots are to come again.
     */
    async takeBack(): Promise<number> {
      const rows = await db
        .delete(slots)
        .where(and(isNull(slots.firing), sql`${slots.at} > clock()`))
        .returning({ at: slots.at })
      return rows.length
    },

    /** What a clock that ran ahead wrote was written now. It reads every slot there is. */
    async writtenByNow(): Promise<void> {
      await db
        .update(slots)
        .set({ recordedAt: sql`clock()` })
        .where(sql`${slots.recordedAt} > clock()`)
    },

    /** Routines with slots that are owed. */
    async owedRoutines(): Promise<string[]> {
      const rows = await db.selectDistinct({ routine: slots.routine }).from(slots).where(isNull(slots.outcome))
      return rows.map((row) => row.routine)
    },

    /** The oldest slot that a routine owes after an instant. */
    async firstOwed(routine: string, after: Date): Promise<Slot | undefined> {
      const rows = await db
        .select()
        .from(slots)
        .where(and(isNull(slots.outcome), eq(slots.routine, routine), sql`${slots.at} > ${after.toISOString()}`))
        .orderBy(asc(slots.at))
        .limit(1)
      return rows[0]
    },

    /** What became of a slot that was owed. */
    async end(slot: Pick<Slot, 'routine' | 'at'>, ending: SlotEnding): Promise<void> {
      await db
        .update(slots)
        .set(ending)
        .where(and(one(slot), isNull(slots.outcome)))
    },

    /** It stays owed, and says why. False when it has said so before. */
    async keepOwed(slot: Pick<Slot, 'routine' | 'at'>, reason: string): Promise<boolean> {
      const rows = await db
        .update(slots)
        .set({ reason })
        .where(and(one(slot), isNull(slots.outcome), sql`${slots.reason} is distinct from ${reason}`))
        .returning({ at: slots.at })
      return rows.length === 1
    },

    /** Slots for which nothing was started, newest first; those that are owed for longer than a moment, too. */
    idleSince(since: Date, limit: number): Promise<Slot[]> {
      const isStuck = and(isNull(slots.outcome), lt(slots.recordedAt, sql`clock() - interval '1 minute'`))
      return db
        .select()
        .from(slots)
        .where(and(or(ne(slots.outcome, 'fired'), isStuck), gte(slots.at, since)))
        .orderBy(desc(slots.at))
        .limit(limit)
    },
  }
}
