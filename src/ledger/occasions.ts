import { and, desc, eq, getTableColumns, inArray, isNull, like, sql, type AnyColumn, type SQL } from './sql.ts'
import { deliveries, firings, slots, type Delivery, type Firing, type Slot } from './schema.ts'
import type { Database } from './store.ts'

export const occasionOutcomes = ['owed', 'fired', 'coalesced', 'skipped', 'missed', 'unmatched', 'refused'] as const
export type OccasionOutcome = (typeof occasionOutcomes)[number]
export type OccasionFilter = {
  routine?: string | undefined
  outcome?: OccasionOutcome | undefined
  /** Only what comes after this place in the list: the last one of the page before. */
  before?: Place | undefined
  limit: number
}
export type DeliveryFilter = OccasionFilter & { source?: string | undefined; event?: string | undefined }

/** Where something stands in the list of everything: when it was due or came (text, to the microsecond), and what it is. */
export type Place = { at: string; what: string }
/** Lists do without bodies. */
type DeliveryFacts = Omit<Delivery, 'body'> & { bytes: number }
export type SlotRow = Slot & { place: Place; run: string | null }
export type DeliveryRow = DeliveryFacts & { place: Place; firings: FiringFacts[] }
export type FiringFacts = Pick<Firing, 'id' | 'delivery' | 'routine' | 'outcome' | 'reason' | 'run'>
export type OccasionRow = { slot: SlotRow } | { delivery: DeliveryRow }

const { body, ...delivered } = getTableColumns(deliveries)
const facts = { ...delivered, bytes: sql<number>`octet_length(${body})`.mapWith(Number) }
const { id, delivery, routine, outcome, reason, run } = getTableColumns(firings)
const caused = { id, delivery, routine, outcome, reason, run }
const deliveryName = sql`'delivery:' || ${deliveries.id}`
const slotName = sql`'slot:' || ${slots.routine}`

/** Every slot and every event on record, newest first, page after page. */
export function createOccasions(db: Database) {
  async function deliveriesWhere(where: SQL | undefined, limit: number): Promise<DeliveryRow[]> {
    const rows = await db
      .select({ ...facts, place: placeOf(deliveries.receivedAt, deliveryName) })
      .from(deliveries)
      .where(where)
      .orderBy(desc(deliveries.receivedAt), sql`${deliveryName} collate "C" desc`)
      .limit(limit)
    const ids = rows.map((row) => row.id)
    const fired = await db.select(caused).from(firings).where(inArray(firings.delivery, ids)).orderBy(firings.routine)
    return rows.map((row) => ({ ...row, firings: fired.filter(({ delivery }) => delivery === row.id) }))
  }

  function listDeliveries(filter: DeliveryFilter): Promise<DeliveryRow[]> {
    const ofRoutine = sql`exists (select from ${firings} where ${firings.delivery} = ${deliveries.id} and ${firings.routine} = ${filter.routine})`
    const where = and(
      filter.source === undefined ? undefined : eq(deliveries.source, filter.source),
      filter.event === undefined ? undefined : eq(deliveries.event, filter.event),
      filter.routine === undefined ? undefined : ofRoutine,
      hasOutcome(deliveries.outcome, filter.outcome),
      isAfter({ at: deliveries.receivedAt, what: deliveryName }, filter.before),
    )
    return deliveriesWhere(where, filter.limit)
  }

  function listSlots(filter: OccasionFilter): Promise<SlotRow[]> {
    return db
      .select({ ...getTableColumns(slots), run: firings.run, place: placeOf(slots.at, slotName) })
      .from(slots)
      .leftJoin(firings, eq(firings.id, slots.firing))
      .where(
        and(
          filter.routine === undefined ? undefined : eq(slots.routine, filter.routine),
          hasOutcome(slots.outcome, filter.outcome),
          isAfter({ at: slots.at, what: slotName }, filter.before),
        ),
      )
      .orderBy(desc(slots.at), sql`${slotName} collate "C" desc`)
      .limit(filter.limit)
  }

  return {
    deliveries: listDeliveries,
    slots: listSlots,

    /** Both in one list. */
    async all(filter: OccasionFilter): Promise<OccasionRow[]> {
      const rows: OccasionRow[] = [
        ...(await listSlots(filter)).map((slot) => ({ slot })),
        ...(await listDeliveries(filter)).map((delivery) => ({ delivery })),
      ]
      return rows.sort((a, b) => compare(placeIn(b), placeIn(a))).slice(0, filter.limit)
    },

    /** At most two whose id begins so: one = found, two = ambiguous. */
    startingWith: (prefix: string): Promise<DeliveryRow[]> =>
      deliveriesWhere(like(deliveries.id, `${prefix.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`), 2),

    /** The beginning of the body, at most so many bytes. */
    async bodyOf(delivery: string, maxBytes: number): Promise<Buffer> {
      const rows = await db
        .select({ body: sql<Uint8Array>`substring(${deliveries.body} from 1 for ${maxBytes})` })
        .from(deliveries)
        .where(eq(deliveries.id, delivery))
      return Buffer.from(rows[0]?.body ?? [])
    },

    /** How often people asked for it again. */
    replaysOf: (delivery: string): Promise<number> => db.$count(deliveries, eq(deliveries.replayOf, delivery)),
  }
}

export const placeIn = (row: OccasionRow): Place => ('slot' in row ? row.slot : row.delivery).place

function compare(a: Place, b: Place): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1
  return a.what < b.what ? -1 : 1
}

/** As text: an instant that went through a Date has lost its microseconds, and pages would skip or repeat a row. */
function placeOf(at: AnyColumn, what: SQL): { at: SQL<string>; what: SQL<string> } {
  return {
    at: sql<string>`to_char(${at} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
    what: sql<string>`${what}`,
  }
}

function isAfter(column: { at: AnyColumn; what: SQL }, before: Place | undefined): SQL | undefined {
  if (before === undefined) return undefined
  const at = sql`${before.at}::timestamptz`
  // The first half is what an index can be searched by.
  return sql`${column.at} <= ${at} and (${column.at} < ${at} or (${column.what}) collate "C" < ${before.what})`
}

function hasOutcome(column: AnyColumn, wanted: OccasionOutcome | undefined): SQL | undefined {
  if (wanted === undefined) return undefined
  return wanted === 'owed' ? isNull(column) : sql`${column} = ${wanted}`
}
