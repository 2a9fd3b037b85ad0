import { sql, type SQL } from './sql.ts'
import { runs } from './schema.ts'
import type { Database } from './store.ts'

/** How many runs may be at work at the same time on one repository and for one sender; null = no limit. */
export type OuterLimits = { repository: number | null; sender: number | null }

/** Names on a forge are compared without case, paths are not. */
export const repositoryKey = (repository: string | null): string | null =>
  repository === null || repository.startsWith('/') ? repository : repository.toLowerCase()
export const keyOfRepository = (column: SQL) =>
  sql`case when ${column} like '/%' then ${column} else lower(${column}) end`

/**
 * Ids of owed runs that may start now as far as each alone is concerned, those first that have begun. The others take turns by
 * routine: what a routine has at work counts as turns it had, so that no crowd of one routine keeps another waiting. One pass
 * over what is owed, some tens of milliseconds for 10,000.
 */
export async function findStartable(
  db: Database,
  { owed, holding, limits, limit }: { owed: SQL; holding: SQL; limits: OuterLimits; limit: number },
): Promise<string[]> {
  const fits = (column: SQL, most: SQL | number | null) =>
    most === null ? sql`true` : sql`coalesce(${column}, 0) < ${most}`
  const { rows } = await db.execute<{ id: string }>(sql`
    with held as materialized (
      select routine, concurrency_key, ${keyOfRepository(sql`repository`)} as repository, sender from runs where ${holding}
    ),
    by_key as (select routine, concurrency_key, count(*)::int as n from held group by 1, 2),
    by_routine as (select routine, count(*)::int as n from held group by 1),
    by_repository as (select repository, count(*)::int as n from held where repository is not null group by 1),
    by_sender as (select sender, count(*)::int as n from held where sender is not null group by 1)
    select runs.id from runs
      left join by_key on by_key.routine = runs.routine and by_key.concurrency_key = runs.concurrency_key
      left join by_routine on by_routine.routine = runs.routine
      left join by_repository on by_repository.repository = ${keyOfRepository(sql`runs.repository`)}
      left join by_sender on by_sender.sender = runs.sender
    where ${owed} and (${needsNoPlace} or (
      ${fits(sql`by_key.n`, sql`runs.parallel`)}
      and (runs.routine_limit is null or ${fits(sql`by_routine.n`, sql`runs.routine_limit`)})
      and ${fits(sql`by_repository.n`, limits.repository)}
      and ${fits(sql`by_sender.n`, limits.sender)}))
    order by not ${needsNoPlace}, runs.state = 'queued',
      row_number() over (partition by runs.routine collate "C" order by runs.created_at, runs.id) + coalesce(by_routine.n, 0),
      runs.created_at, runs.id
    limit ${limit}`)
  return rows.map((row) => row.id)
}

/** It has its place already (its worker was lost), or its agent is through. */
const needsNoPlace = sql`(${runs.leaseOwner} is not null or ${runs.state} in ('collecting', 'publishing'))`
