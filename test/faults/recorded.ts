import { sql } from '../../src/ledger/sql.ts'
import { createLog } from '../../src/log.ts'
import { openStore } from '../../src/ledger/store.ts'
import type { Recorded } from './compare.ts'

/** A slot may be on its way for so long while a scheduler is replaced. */
const lateSeconds = 5

export type LedgerNow = AsyncDisposable & {
  /** What is on record now about occasions, the slots of one routine among them. Rejects while the ledger is away. */
  read(rung: string): Promise<Recorded>
  /** How long after its instant a slot was on record; undefined: it is not. */
  lateMs(rung: string, at: Date): Promise<number | undefined>
  /** Moves the clock of all on, to so long before the next whole minute; answers that minute. */
  minuteIn(ms: number): Promise<Date>
  /** Moves the clock of all on. */
  pass(seconds: number): Promise<void>
}

/** The ledger as somebody sees it who has no part in what happens. */
export async function openLedgerNow(databaseUrl: string): Promise<LedgerNow> {
  const store = await openStore({ databaseUrl, log: createLog('silent') })
  const ask = async <T extends Record<string, unknown>>(query: ReturnType<typeof sql>) =>
    (await store.db.execute<T>(query)).rows
  const instant = (column: ReturnType<typeof sql>) =>
    sql`to_char((${column}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

  return {
    read: (rung) =>
      store.db.transaction(
        async (tx) => {
          const all = async <T extends Record<string, unknown>>(query: ReturnType<typeof sql>) =>
            (await tx.execute<T>(query)).rows
          const deliveries = await all<Recorded['deliveries'][number]>(sql`
            select key, outcome, array(select run from firings where delivery = deliveries.id and run is not null) as runs
            from deliveries`)
          const calls = await all<Recorded['calls'][number]>(sql`
            select substr(trigger_key, 5) as key, run from firings where trigger_key like 'api:%'`)
          const slots = await all<Recorded['slots'][number]>(sql`
            select ${instant(sql`slots.at`)} as at, slots.outcome, run
            from slots left join firings on firings.id = slots.firing where slots.routine = ${rung}`)
          const runs = await all<Recorded['runs'][number]>(sql`select id, state from runs`)
          const [span] = await all<Pick<Recorded, 'since' | 'until'>>(sql`
            select ${instant(sql`min(since)`)} as since,
              ${instant(sql`clock() - make_interval(secs => ${lateSeconds})`)} as until
            from schedules where routine = ${rung}`)
          return { deliveries, calls, slots, runs, ...span! }
        },
        { isolationLevel: 'repeatable read' },
      ),
    async lateMs(rung, at) {
      const [row] = await ask<{ ms: number }>(sql`
        select (extract(epoch from recorded_at - at) * 1000)::float8 as ms from slots
        where routine = ${rung} and at = ${at.toISOString()}`)
      return row?.ms
    },
    async minuteIn(ms) {
      const [row] = await ask<{ due: string }>(sql`
        update clock_offset set ahead = ahead + make_interval(secs =>
          mod((120 - ${ms / 1000}::float8 - extract(second from clock()))::numeric, 60)::float8)
        returning ${instant(sql`date_trunc('minute', clock_timestamp() + ahead + interval '1 minute')`)} as due`)
      return new Date(row!.due)
    },
    async pass(seconds) {
      await ask(sql`update clock_offset set ahead = ahead + make_interval(secs => ${seconds})`)
    },
    [Symbol.asyncDispose]: () => store.close(),
  }
}
