import { and, asc, eq, getTableColumns, isNotNull, isNull, sql, type SQL } from './sql.ts'
import { inBatches } from './batches.ts'
import { service } from './pauses.ts'
import { createSchedules } from './schedules.ts'
import { routines, routineVersions, schedules, type RoutineRow, type RoutineVersion } from './schema.ts'
import type { Database } from './store.ts'

export type NewVersion = Omit<RoutineVersion, 'createdAt'>
type Applied = Pick<RoutineRow, 'name' | 'hash' | 'file'>
/** A routine in force, and the commit that is known of its text. */
export type Standing = Pick<RoutineRow, 'name' | 'hash' | 'file' | 'error' | 'rolledBackFrom'> & {
  commit: string | null
}

/** The routines in force and every text they ever had. */
export function createRoutines(db: Database) {
  const inForce = (which: SQL) =>
    db
      .select({ ...getTableColumns(routineVersions), file: routines.file, from: routines.rolledBackFrom })
      .from(routines)
      .innerJoin(
        routineVersions,
        and(eq(routineVersions.routine, routines.name), eq(routineVersions.hash, routines.hash)),
      )
      .where(and(isNull(routines.removedAt), which))
      .orderBy(asc(routines.name))

  return {
    /** Keeps texts for ever; the same text again is the same version. A commit that becomes known later is filled in. */
    async ensureVersions(versions: readonly NewVersion[]): Promise<void> {
      for (const batch of inBatches(versions)) {
        // Looked at first: writing would make everybody who fires this routine wait for each other's transactions.
        await db.execute(sql`
          insert into ${routineVersions} (routine, hash, file, source, commit)
          select given.* from json_to_recordset(${batch}::json)
            as given (routine text, hash text, file text, source text, commit text)
          left join ${routineVersions} as known using (routine, hash)
          where known.hash is null or (known.commit is null and given.commit is not null)
          on conflict (routine, hash) do update set commit = coalesce(excluded.commit, ${routineVersions}.commit)`)
      }
    },

    async readVersion(routine: string, hash: string): Promise<RoutineVersion | undefined> {
      const rows = await db
        .select()
        .from(routineVersions)
        .where(and(eq(routineVersions.routine, routine), eq(routineVersions.hash, hash)))
      return rows[0]
    },

    /** Puts versions in force: from now on triggers use them. One that was put back stays back while its file has the text it left. */
    async apply(rows: readonly Applied[]): Promise<void> {
      const isBack = sql`${routines}.rolled_back_from = excluded.hash`
      for (const batch of inBatches(rows)) {
        await db.execute(sql`
          insert into ${routines} (name, hash, file)
          select * from json_to_recordset(${batch}::json) as given (name text, hash text, file text)
          on conflict (name) do update set
            hash = case when ${isBack} then ${routines}.hash else excluded.hash end,
            rolled_back_from = case when ${isBack} then excluded.hash end,
            file = excluded.file, error = null, removed_at = null, applied_at = clock()`)
      }
    },

    /** Puts a version in force for as long as the file has the text `from`; null: it is the file's own again. */
    async putBack(name: string, { hash, from }: { hash: string; from: string | null }): Promise<void> {
      await db
        .update(routines)
        .set({ hash, rolledBackFrom: from, appliedAt: sql`clock()` })
        .where(eq(routines.name, name))
    },

    /** The file on disk is broken: the version in force stays, and the error is shown beside it. */
    async markBroken(name: string, error: string): Promise<void> {
      await db.update(routines).set({ error }).where(eq(routines.name, name))
    },

    /**
     * The files are gone: nothing fires them any more; their history stays. What a person paused is paused when it comes back; what
     * paused itself by its failures begins anew.
     */
    async markRemoved(names: readonly string[]): Promise<void> {
      for (const batch of inBatches(names)) {
        const gone = sql`(select json_array_elements_text(${batch}::json))`
        await db.execute(sql`update ${routines} set removed_at = clock() where name in ${gone}`)
        await db.execute(sql`
          update ${routines} set paused_at = null, paused_by = null, pause_reason = null, resumed_at = clock()
          where name in ${gone} and paused_by = ${service}`)
        await db.execute(sql`delete from ${schedules} where routine in ${gone}`)
      }
    },

    /** Tells every process, when this is committed, that what is in force is not what it was. */
    async tell(): Promise<void> {
      await db.execute(sql`select pg_notify('overnight_routines', '')`)
    },

    /** By name. As one value: ten thousand rows of the embedded store take thrice as long to become objects. */
    async standing(): Promise<Standing[]> {
      const { rows } = await db.execute<{ all: Standing[] }>(sql`
        select coalesce(json_agg(one), '[]') as all from (
          select name, r.hash, r.file, error, rolled_back_from as "rolledBackFrom", commit
          from ${routines} as r left join ${routineVersions} as v on v.routine = name and v.hash = r.hash
          where removed_at is null
          order by name
        ) as one`)
      return rows[0]!.all
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

    /** The text that the routine's file had when it was last good: also of one that was put back to an older version. */
    async lastGood(name: string): Promise<RoutineVersion | undefined> {
      const row = await this.find(name)
      const version = row && (await this.readVersion(name, row.rolledBackFrom ?? row.hash))
      return version && { ...version, file: row.file }
    },

    /** Of these routines, or of all. */
    async versionsInForce(names?: readonly string[]): Promise<RoutineVersion[]> {
      const which = sql`${routines.name} in (select json_array_elements_text(${JSON.stringify(names)}::json))`
      return (await inForce(names === undefined ? sql`true` : which)).map(({ from: _from, ...version }) => version)
    },

    /** Versions that people put back; `from` is the hash of the file's own text. */
    async rolledBack(): Promise<(RoutineVersion & { from: string })[]> {
      const rows = await inForce(isNotNull(routines.rolledBackFrom))
      return rows.flatMap(({ from, ...version }) => (from === null ? [] : [{ ...version, from }]))
    },

    ...createSchedules(db),
  }
}
