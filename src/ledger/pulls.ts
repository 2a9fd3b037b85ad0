import { and, desc, eq, sql } from './sql.ts'
import type { NewPullRecord, PullRecord, PullRecords } from '../forges/pull-records.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { pulls, type PullRow } from './schema.ts'
import type { Database } from './store.ts'

/** The pull requests of the local forge. */
export function createPulls(database: Database): PullRecords {
  async function openOf(db: Database, repository: string, branch: string): Promise<PullRecord | undefined> {
    const open = and(eq(pulls.repository, repository), eq(pulls.branch, branch), eq(pulls.state, 'open'))
    const rows = await db.select().from(pulls).where(open)
    return rows[0] && recordOf(rows[0])
  }
  async function insertNext(
    db: Database,
    record: NewPullRecord,
    idOf: (number: number) => string,
  ): Promise<PullRecord> {
    const { repository } = record
    const highest = await db
      .select({ number: sql<number>`coalesce(max(${pulls.number}), 0)::int` })
      .from(pulls)
      .where(eq(pulls.repository, repository))
    const number = highest[0]!.number + 1
    const rows = await db
      .insert(pulls)
      .values({ ...record, id: idOf(number), number })
      .returning()
    return recordOf(rows[0]!)
  }

  return {
    async list(filter) {
      const rows = await database
        .select()
        .from(pulls)
        .where(
          and(
            filter.repository === undefined ? undefined : eq(pulls.repository, filter.repository),
            filter.state === undefined ? undefined : eq(pulls.state, filter.state),
          ),
        )
        .orderBy(desc(pulls.createdAt), desc(pulls.number))
      return rows.map(recordOf)
    },

    async find(id) {
      const rows = await database.select().from(pulls).where(eq(pulls.id, id))
      return rows[0] && recordOf(rows[0])
    },

    /** One at a time in a repository: numbers have no gap, and a branch has one that is open. */
    insert: (record, idOf) =>
      database.transaction(async (tx) => {
        await oneAtATime(tx, `pulls:${record.repository}`)
        return (await openOf(tx, record.repository, record.branch)) ?? insertNext(tx, record, idOf)
      }),

    async updateOpen(id, change) {
      const rows = await database
        .update(pulls)
        .set({ ...change, updatedAt: sql`clock()` })
        .where(and(eq(pulls.id, id), eq(pulls.state, 'open')))
        .returning()
      return rows[0] && recordOf(rows[0])
    },
  }
}

function recordOf({ createdAt: _created, updatedAt: _updated, ...record }: PullRow): PullRecord {
  return record
}
