import { and, asc, eq, isNotNull, isNull, sql } from './sql.ts'
import { routines, settings, slots } from './schema.ts'
import type { Database } from './store.ts'

/** `whole`: not one routine alone, everything is paused. */
export type Pause = { whole: boolean; at: Date; by: string; reason: string | null }
/** Who pauses a routine that fails again and again. */
export const service = 'overnight'
export type Pausing = Pick<Pause, 'by' | 'reason'>

/** What is paused, since when, by whom and why: one routine, or all of them (a value of the service). */
export function createPauses(db: Database) {
  const whole = sql`select true as whole, at, by, value->>'reason' as reason from ${settings} where key = 'paused' and (value->>'isPaused')::boolean`

  async function find(query: typeof whole): Promise<Pause | undefined> {
    const { rows } = await db.execute<Omit<Pause, 'at'> & { at: string | Date }>(query)
    return rows[0] && { ...rows[0], at: new Date(rows[0].at) }
  }
  async function setWhole(isPaused: boolean, { by, reason }: Pausing): Promise<void> {
    const value = { isPaused, reason }
    await db
      .insert(settings)
      .values({ key: 'paused', value, by })
      .onConflictDoUpdate({ target: settings.key, set: { value, by, at: sql`clock()` } })
  }

  return {
    /** Why a routine is held now; undefined = it is not. */
    of: (routine: string): Promise<Pause | undefined> =>
      find(sql`${whole} union all
        select false, paused_at, paused_by, pause_reason from ${routines} where name = ${routine} and paused_at is not null
        order by whole`),

    /** Why all of them are held now. */
    whole: (): Promise<Pause | undefined> => find(whole),

    /** When everything last went on after a pause; undefined = it never was paused, or is. */
    async wholeResumedAt(): Promise<Date | undefined> {
      const rows = await db
        .select({ at: settings.at })
        .from(settings)
        .where(and(eq(settings.key, 'paused'), sql`not (${settings.value}->>'isPaused')::boolean`))
      return rows[0]?.at
    },

    /** Routines in force that are paused themselves, by name. */
    async list(): Promise<(Pause & { routine: string })[]> {
      const rows = await db
        .select({
          routine: routines.name,
          at: routines.pausedAt,
          by: routines.pausedBy,
          reason: routines.pauseReason,
        })
        .from(routines)
        .where(and(isNotNull(routines.pausedAt), isNull(routines.removedAt)))
        .orderBy(asc(routines.name))
      return rows.map(({ at, by, ...row }) => ({ ...row, whole: false, at: at!, by: by ?? '' }))
    },

    /** False when it was paused before (which stays as it was) or is not in force. */
    async pause(routine: string, { by, reason }: Pausing): Promise<boolean> {
      const rows = await db
        .update(routines)
        .set({ pausedAt: sql`clock()`, pausedBy: by, pauseReason: reason })
        .where(and(eq(routines.name, routine), isNull(routines.removedAt), isNull(routines.pausedAt)))
        .returning({ name: routines.name })
      return rows.length === 1
    },

    /** False when it was not paused. */
    async resume(routine: string): Promise<boolean> {
      const rows = await db
        .update(routines)
        .set({ pausedAt: null, pausedBy: null, pauseReason: null, resumedAt: sql`clock()` })
        .where(and(eq(routines.name, routine), isNotNull(routines.pausedAt)))
        .returning({ name: routines.name })
      return rows.length === 1
    },

    pauseAll: (pausing: Pausing) => setWhole(true, pausing),
    resumeAll: (by: string) => setWhole(false, { by, reason: null }),

    /** What a pause still owes is skipped: of one routine, or of all that are not paused themselves. */
    async skipOwed(routine?: string): Promise<void> {
      const mine =
        routine === undefined
          ? sql`not exists (select from ${routines} where name = ${slots.routine} and paused_at is not null)`
          : eq(slots.routine, routine)
      await db
        .update(slots)
        .set({ outcome: 'skipped', reason: 'paused' })
        .where(and(isNull(slots.outcome), mine))
    },
  }
}
