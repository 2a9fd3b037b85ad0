import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import {
  routines,
  routineVersions,
  schedules,
  type RoutineRow,
  type RoutineVersion,
  type ScheduleRow,
} from './schema.ts'
import type { Database } from './store.ts'

export type NewVersion = Omit<RoutineVersion, 'createdAt'>
export type NewSchedule = Omit<ScheduleRow, 'routine' | 'since'>

/** The routines in force and every text they ever had. */
export function createRoutines(db: Database) {
  return {
    /** Keeps a text for ever; the same text again is the same version. A commit that becomes known later is filled in. */
    async ensureVersion(version: NewVersion): Promise<void> {
      // Looked at first: writing would make everybody who fires this routine wait for each other's transactions.
      const known = await this.readVersion(version.routine, version.hash)
      if (known && (known.commit !== null || version.commit === null)) return
      await db
        .insert(routineVersions)
        .values(version)
        .onConflictDoUpdate({
          target: [routineVersions.routine, routineVersions.hash],
          set: { commit: sql`coalesce(excluded.commit, ${routineVersions.commit})` },
        })
    },

    async readVersion(routine: string, hash: string): Promise<RoutineVersion | undefined> {
      const rows = await db
        .select()
        .from(routineVersions)
        .where(and(eq(routineVersions.routine, routine), eq(routineVersions.hash, hash)))
      return rows[0]
    },

    /** Puts a version in force: from now on triggers use it. */
    async apply(row: Pick<RoutineRow, 'name' | 'hash' | 'file'>): Promise<void> {
      const inForce = { hash: row.hash, file: row.file, error: null, removedAt: null, appliedAt: sql`clock()` }
      await db.insert(routines).values(row).onConflictDoUpdate({ target: routines.name, set: inForce })
    },

    /** The file on disk is broken: the version in force stays, and the error is shown beside it. */
    async markBroken(name: string, error: string): Promise<void> {
      await db.update(routines).set({ error }).where(eq(routines.name, name))
    },

    /** The file is gone: nothing fires it any more; its history stays. */
    async markRemoved(name: string): Promise<void> {
      await db
        .update(routines)
        .set({ removedAt: sql`clock()` })
        .where(eq(routines.name, name))
      await db.delete(schedules).where(eq(schedules.routine, name))
    },

    list(): Promise<RoutineRow[]> {
      return db.select().from(routines).where(isNull(routines.removedAt)).orderBy(asc(routines.name))
    },

    async find(name: string): Promise<RoutineRow | undefined> {
      const rows = await db
        .select()
        .from(routines)
        .where(and(eq(routines.name, name), isNull(routines.removedAt)))
      return rows[0]
    },

    async versionInForce(name: string): Promise<RoutineVersion | undefined> {
      const row = await this.find(name)
      const version = row && (await this.readVersion(name, row.hash))
      // The same text may have been run from elsewhere, too: in force is the file in the folder.
      return version && { ...version, file: row.file }
    },

    schedules(): Promise<ScheduleRow[]> {
      return db.select().from(schedules).orderBy(asc(schedules.nextFireAt))
    },

    schedulesOf(routine: string): Promise<ScheduleRow[]> {
      return db.select().from(schedules).where(eq(schedules.routine, routine))
    },

    /** A schedule that stays keeps its next instant (it may be overdue); a new one, or one that had none, starts from `nextFireAt`. */
    async replaceSchedules(routine: string, wanted: readonly NewSchedule[]): Promise<void> {
      const same = (a: NewSchedule, b: NewSchedule) => a.cron === b.cron && a.timezone === b.timezone
      const known = await this.schedulesOf(routine)
      for (const row of known.filter((old) => !wanted.some((schedule) => same(old, schedule)))) {
        await db
          .delete(schedules)
          .where(
            and(eq(schedules.routine, routine), eq(schedules.cron, row.cron), eq(schedules.timezone, row.timezone)),
          )
      }
      if (wanted.length === 0) return
      await db
        .insert(schedules)
        .values(wanted.map((schedule) => ({ routine, ...schedule })))
        .onConflictDoUpdate({
          target: [schedules.routine, schedules.cron, schedules.timezone],
          set: { nextFireAt: sql`coalesce(${schedules.nextFireAt}, excluded.next_fire_at)` },
        })
    },
  }
}
