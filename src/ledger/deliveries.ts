import { and, asc, eq, gt, inArray, isNull, lte, ne, sql } from './sql.ts'
import { idOf } from './cause.ts'
import { deliveries, type Delivery } from './schema.ts'
import type { Database } from './store.ts'

/** What came, as it came. One that needs no settling (an item that was there before we looked) brings its outcome. */
export type NewDelivery = Pick<Delivery, 'source' | 'key' | 'event' | 'headers' | 'body'> &
  Partial<Pick<Delivery, 'signed' | 'replayOf' | 'outcome' | 'reason' | 'action' | 'repository' | 'sender' | 'subject'>>
/** `fresh` is false for one that was received before: nothing is changed then. */
export type Received = { id: string; fresh: boolean }
/** What was found out by reading it, and what became of it. */
export type Settlement = Pick<Delivery, 'outcome' | 'reason' | 'action' | 'repository' | 'sender' | 'subject'>

/** Of one source, or of all but one. */
export type Whose = { of?: string; besides?: string }

/** Who has taken a delivery and is silent for this long has lost it. */
const claimedFor = sql`interval '30 seconds'`
/** Of bodies that are claimed together. Reading one may take ten times its size in memory. */
const mostBytes = 8 * 1024 * 1024
const longestWait = sql`interval '10 minutes'`

/** The same delivery again is the same row: the id says so. */
const deliveryId = (from: string, name: string): string => idOf('delivery', from, name)

const signOf = ({ source, signed }: Pick<NewDelivery, 'source' | 'signed'>) => `${signed ?? ''} ${source}`

/** Events of the outside, and what became of each. */
export function createDeliveries(db: Database) {
  const owed = and(isNull(deliveries.outcome), lte(deliveries.notBefore, sql`clock()`))
  /** Which delivery had been signed with the same bytes before, under whatever name. */
  async function firstsOf(known: readonly NewDelivery[]): Promise<Map<string, string>> {
    const signs = known.flatMap(({ signed }) => signed ?? [])
    if (signs.length === 0) return new Map()
    const { id, source, signed } = deliveries
    const rows = await db.select({ id, source, signed }).from(deliveries).where(inArray(signed, signs))
    return new Map(rows.map((row) => [signOf(row), row.id]))
  }
  return {
    /** One statement. `fresh` is false for one that was received before: nothing is changed then. */
    async receive(row: NewDelivery): Promise<Received> {
      return (await this.receiveAll([row]))[0]!
    },

    /** One statement for all; the answers are in their order. */
    async receiveAll(rows: readonly NewDelivery[]): Promise<Received[]> {
      const values = rows.map((row) => ({
        ...row,
        id: deliveryId(row.source, row.key),
        settledAt: row.outcome ? sql`clock()` : null,
      }))
      // In one order everywhere: two processes that write the same ones must not wait for each other.
      const inOrder = values.toSorted((a, b) => Number(a.id > b.id) - Number(a.id < b.id))
      const added = await db.insert(deliveries).values(inOrder).onConflictDoNothing().returning({ id: deliveries.id })
      const fresh = new Set(added.map((one) => one.id))
      const first = await firstsOf(values.filter(({ id }) => !fresh.has(id)))
      // Of the same one twice in the same moment the first is the new one.
      return values.map((row) => ({ id: first.get(signOf(row)) ?? row.id, fresh: fresh.delete(row.id) }))
    },

    /** Which of these names of a source are on record. */
    async known(from: string, names: readonly string[]): Promise<Set<string>> {
      if (names.length === 0) return new Set()
      const ids = names.map((name) => deliveryId(from, name))
      const rows = await db.select({ key: deliveries.key }).from(deliveries).where(inArray(deliveries.id, ids))
      return new Set(rows.map(({ key }) => key))
    },

    /** The delivery of this name, when it was received within that time. */
    async heardOf(from: string, name: string, withinMs: number): Promise<string | undefined> {
      const rows = await db
        .select({ id: deliveries.id })
        .from(deliveries)
        .where(
          and(
            eq(deliveries.id, deliveryId(from, name)),
            gt(deliveries.receivedAt, sql`clock() - make_interval(secs => ${withinMs / 1000}::double precision)`),
          ),
        )
      return rows[0]?.id
    },

    /** Those nobody has settled yet, oldest first: they are the caller's for half a minute. As many as a process can hold; at least one. */
    async claim(limit: number, { of, besides }: Whose = {}): Promise<Delivery[]> {
      const whose = [
        ...(of === undefined ? [] : [eq(deliveries.source, of)]),
        ...(besides === undefined ? [] : [ne(deliveries.source, besides)]),
      ]
      // Alone it is one look into the index, which is all that idle seconds cost.
      if ((await db.select({ id: deliveries.id }).from(deliveries).where(owed).limit(1)).length === 0) return []
      const oldest = db
        .select({
          id: deliveries.id,
          notBefore: deliveries.notBefore,
          bytes: sql`octet_length(${deliveries.body})`.as('bytes'),
        })
        .from(deliveries)
        .where(and(owed, ...whose))
        .orderBy(asc(deliveries.notBefore), asc(deliveries.id))
        .limit(limit)
        .for('update', { skipLocked: true })
      const fitting = sql`(with oldest as materialized ${oldest}
        select id from (select id, bytes, sum(bytes) over (order by not_before, id) as upto from oldest) as summed
        where upto <= ${mostBytes} or upto = bytes)`
      const rows = await db
        .update(deliveries)
        .set({ notBefore: sql`clock() + ${claimedFor}` })
        .where(inArray(deliveries.id, fitting))
        .returning()
      return rows.toSorted((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime() || (a.id < b.id ? -1 : 1))
    },

    /** Locks the row; false when somebody has settled it. */
    async lockOwed(id: string): Promise<boolean> {
      const rows = await db
        .select({ id: deliveries.id })
        .from(deliveries)
        .where(and(eq(deliveries.id, id), isNull(deliveries.outcome)))
        .for('update')
      return rows.length === 1
    },

    /** False when it was settled before: an outcome is final. */
    async settle(id: string, settlement: Settlement): Promise<boolean> {
      const rows = await db
        .update(deliveries)
        .set({ ...settlement, error: null, settledAt: sql`clock()` })
        .where(and(eq(deliveries.id, id), isNull(deliveries.outcome)))
        .returning({ id: deliveries.id })
      return rows.length === 1
    },

    /** The same for many, in one statement. */
    async settleAll(all: readonly (Settlement & { id: string })[]): Promise<void> {
      if (all.length === 0) return
      await db.execute(sql`
        update deliveries set outcome = it.outcome, reason = it.reason, action = it.action, repository = it.repository,
          sender = it.sender, subject = it.subject, error = null, settled_at = clock()
        from jsonb_to_recordset(${JSON.stringify(all)}::jsonb) as it(id text, outcome text, reason text, action text,
          repository text, sender text, subject text)
        where deliveries.id = it.id and deliveries.outcome is null`)
    },

    /** It could not be settled now: after a pause that doubles from a second to ten minutes it is owed again. */
    async postpone(id: string, error: string): Promise<void> {
      const pause = sql`least(${longestWait}, interval '1 second' * power(2, least(${deliveries.tries}, 12)))`
      await db
        .update(deliveries)
        .set({ tries: sql`${deliveries.tries} + 1`, error, notBefore: sql`clock() + ${pause}` })
        .where(and(eq(deliveries.id, id), isNull(deliveries.outcome)))
    },

    async find(id: string): Promise<Delivery | undefined> {
      const rows = await db.select().from(deliveries).where(eq(deliveries.id, id))
      return rows[0]
    },
  }
}
