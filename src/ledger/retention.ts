import { inArray, sql, type SQL } from './sql.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { deliveries, firings, runs } from './schema.ts'
import type { Database } from './store.ts'

export type Removal = { keptMs: number; limit: number }

/** What events said is not kept for ever; that they came, and what became of them, is. Each call is one transaction. */
export function createRetention(db: Database) {
  /** Runs that have not ended, and those that they are a retry of: what these are about is still asked for. They are few. */
  const needed = sql`with recursive needed as (
    select id, retry_of from ${runs} where ended_at is null
    union select earlier.id, earlier.retry_of from ${runs} as earlier join needed on earlier.id = needed.retry_of
  )`
  /** `offset 0`: by the index of each run. Who guesses that they are many reads all firings there are. */
  const asked = sql`select caused.delivery from needed cross join lateral (
    select delivery from ${firings} where run = needed.id and delivery is not null offset 0) as caused`
  const before = (keptMs: number) => sql`clock() - make_interval(secs => ${keptMs / 1000}::double precision)`

  async function remove(statement: SQL): Promise<number> {
    return db.transaction(async (tx) => {
      await oneAtATime(tx, turn)
      return (await tx.execute(statement)).rows.length
    })
  }

  return {
    /** Empties the oldest bodies of deliveries that were settled before; answers how many. */
    removeBodies: ({ keptMs, limit }: Removal): Promise<number> =>
      remove(sql`${needed} update ${deliveries} set body = '', body_removed_at = clock() where id in (
        select id from ${deliveries} where settled_at < ${before(keptMs)} and body_removed_at is null
          and id not in (${asked}) order by settled_at limit ${limit}
      ) returning id`),

    /** The same for what stands beside a delivery, and what no delivery holds: calls of programs, ends of other runs. */
    removePayloads: ({ keptMs, limit }: Removal): Promise<number> =>
      remove(sql`${needed} update ${firings} set payload = null, payload_removed_at = clock() where id in (
        select id from ${firings} as old where created_at < ${before(keptMs)} and payload is not null
          and (run is null or run not in (select id from needed))
          and coalesce((select body_removed_at is not null from ${deliveries} where id = old.delivery), true)
        order by created_at limit ${limit}
      ) returning id`),

    /** Until the end of the transaction nothing is removed. Is anything gone of what these runs were about? */
    async isForgotten(tries: readonly string[]): Promise<boolean> {
      await oneAtATime(db, turn)
      const gone = sql<boolean>`${firings.payloadRemovedAt} is not null or exists (
        select from ${deliveries} where id = ${firings.delivery} and body_removed_at is not null)`
      const rows = await db
        .select({ gone })
        .from(firings)
        .where(inArray(firings.run, [...tries]))
      return rows.some((row) => row.gone)
    },
  }
}

const turn = 'retention'
