import { and, desc, eq, inArray, isNotNull, isNull, lt, or, sql, type SQL } from './sql.ts'
import { outbox, type OutboxRow } from './schema.ts'
import type { Database } from './store.ts'

/** `id` is derived from the cause: the same news is one message. `body` is its data; type and time are said around it. */
export type NewMessage = Pick<OutboxRow, 'id' | 'kind' | 'url' | 'body'>
export const messageStates = ['owed', 'sent', 'given_up'] as const
export type MessageState = (typeof messageStates)[number]

const seconds = (ms: number) => sql`make_interval(secs => ${ms / 1000}::double precision)`
const owed = and(isNull(outbox.sentAt), isNull(outbox.givenUpAt))
const origin = sql`substring(${outbox.url}, '^[a-z]+://[^/?#]*')`
/** No alert. */
const isPatient = sql`${outbox.kind} = 'run.ended'`
const inState: Record<MessageState, SQL | undefined> = {
  owed,
  sent: isNotNull(outbox.sentAt),
  given_up: isNotNull(outbox.givenUpAt),
}

/** What is to be told to somebody outside. Put in the transaction of its cause, so that none is lost and none is made up. */
export function createOutbox(db: Database) {
  const change = async (id: string, set: Record<string, unknown>) => {
    await db
      .update(outbox)
      .set(set)
      .where(and(eq(outbox.id, id), owed))
  }

  return {
    async put(...messages: NewMessage[]): Promise<void> {
      if (messages.length > 0) await db.insert(outbox).values(messages).onConflictDoNothing()
    },

    /**
     * Messages to try now, of so many `addresses` and for each so many, alerts before all others, then what waits longest:
     * nobody else is given them for `holdMs`, so one that is not answered for by then (its process died) is tried again. `besides`: addresses (`https://host`) that
     * have some under way here.
     */
    async take(wanted: {
      addresses: number
      each: number
      holdMs: number
      kinds: readonly OutboxRow['kind'][]
      besides: readonly string[]
    }): Promise<OutboxRow[]> {
      const { addresses, each, holdMs, kinds, besides } = wanted
      const isTime = and(owed, sql`${outbox.notBefore} <= clock()`)
      // Alone it is one look into the index, which is all that an idle second costs.
      if ((await db.select({ id: outbox.id }).from(outbox).where(isTime).limit(1)).length === 0) return []
      const due = and(
        isTime,
        inArray(outbox.kind, [...kinds]),
        besides.length === 0 ? undefined : sql`${origin} not in ${[...besides]}`,
      )
      const chosen = sql`(with due as materialized (
        select ${outbox.id} as id, ${origin} as origin, ${isPatient} as patient, ${outbox.notBefore} as at from ${outbox}
        where ${due} order by 3, 4 limit 64 for update skip locked
      ), in_line as (
        select id, origin, row_number() over (order by patient, at, origin, id) as turn from due
      ), placed as (
        select id, row_number() over (partition by origin order by turn) as place, min(turn) over (partition by origin) as first from in_line
      ) select id from (
        select id, place, dense_rank() over (order by first) as address from placed
      ) as ranked where place <= ${each} and address <= ${addresses})`
      const rows = await db
        .update(outbox)
        .set({ notBefore: sql`clock() + ${seconds(holdMs)}`, tries: sql`${outbox.tries} + 1` })
        .where(sql`${outbox.id} in ${chosen}`)
        .returning()
      return rows.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1))
    },

    sent: (id: string) => change(id, { sentAt: sql`clock()`, error: null }),
    later: (id: string, why: { error: string; inMs: number }) =>
      change(id, { error: why.error, notBefore: sql`clock() + ${seconds(why.inMs)}` }),
    /** It was not tried after all. */
    untried: (id: string) => change(id, { notBefore: sql`clock()`, tries: sql`${outbox.tries} - 1` }),
    giveUp: (id: string, error: string) => change(id, { error, givenUpAt: sql`clock()` }),

    /** A person wants it sent once more, from the first try on. False when there is no such message that was given up. */
    async again(id: string): Promise<boolean> {
      const rows = await db
        .update(outbox)
        .set({ givenUpAt: null, tries: 0, notBefore: sql`clock()` })
        .where(and(eq(outbox.id, id), isNotNull(outbox.givenUpAt)))
        .returning({ id: outbox.id })
      return rows.length === 1
    },

    /** Newest first. */
    list({ state, limit }: { state?: MessageState | undefined; limit: number }): Promise<OutboxRow[]> {
      return db
        .select()
        .from(outbox)
        .where(state && inState[state])
        .orderBy(desc(outbox.createdAt), desc(outbox.id))
        .limit(limit)
    },

    /** Forgets what was sent or given up for longer than `keptMs`; answers how many. */
    async prune(keptMs: number): Promise<number> {
      const before = sql`clock() - ${seconds(keptMs)}`
      const rows = await db
        .delete(outbox)
        .where(or(lt(outbox.sentAt, before), lt(outbox.givenUpAt, before)))
        .returning({ id: outbox.id })
      return rows.length
    },
  }
}
