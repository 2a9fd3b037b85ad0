import { and, asc, count, desc, eq, gt, inArray, isNotNull, or, sql } from './sql.ts'
import { deliveries, firings, runs, slots, type Delivery, type Firing, type Run, type Trigger } from './schema.ts'
import type { Database } from './store.ts'

/** One thing that happened outside, and how we heard of it. `delivery` holds it; `payload` is what stands beside it, or the whole. */
export type Happening = Pick<Firing, 'trigger' | 'by' | 'createdAt' | 'payload'> & {
  delivery: Pick<Delivery, 'id' | 'source' | 'event' | 'headers' | 'body'> | null
}
export type Happenings = {
  /** Oldest first. */
  happenings: Happening[]
  /** Older ones that are too many bytes to be read at once. */
  leftOut: number
  /** What fired the first of these runs, a retry being the same work again. */
  trigger: Trigger
}

const mostBytes = 16 * 1024 * 1024
const mostRetries = 100

/** What came before a run: why it was fired, and how the routine went lately. */
export function createBackground(db: Database) {
  /** The run, and those that it is a retry of, the first one last. */
  async function triesOf(run: Run): Promise<Run[]> {
    const tries = [run]
    while (tries.length < mostRetries) {
      const { retryOf } = tries.at(-1)!
      const rows = retryOf === null ? [] : await db.select().from(runs).where(eq(runs.id, retryOf))
      if (!rows[0]) break
      tries.push(rows[0])
    }
    return tries
  }

  return {
    triesOf,

    /** Everything that the run is about, of all occasions that it took along. */
    async happeningsOf(run: Run): Promise<Happenings> {
      const tries = await triesOf(run)
      const { trigger } = tries.at(-1)!
      const ids = tries.map(({ id }) => id)
      const isOutside = and(inArray(firings.run, ids), or(isNotNull(firings.delivery), isNotNull(firings.payload)))
      const bytes = sql<number>`(coalesce(octet_length(${deliveries.body}), 0) + coalesce(octet_length(${firings.payload}::text), 0))::int`
      const all = await db
        .select({ id: firings.id, bytes })
        .from(firings)
        .leftJoin(deliveries, eq(deliveries.id, firings.delivery))
        .where(isOutside)
        .orderBy(desc(firings.createdAt), desc(firings.id))
      const kept = newestWithin(all, mostBytes)
      if (kept.length === 0) return { happenings: [], leftOut: all.length, trigger }
      const { by, createdAt, payload } = firings
      const { id, source, event, headers, body } = deliveries
      const rows = await db
        .select({ trigger: firings.trigger, by, createdAt, payload, delivery: { id, source, event, headers, body } })
        .from(firings)
        .leftJoin(deliveries, eq(deliveries.id, firings.delivery))
        .where(inArray(firings.id, kept))
        .orderBy(asc(firings.createdAt), asc(firings.id))
      return { happenings: rows, leftOut: all.length - kept.length, trigger }
    },

    /** The newest run of a routine that ended well. */
    async lastSuccess(routine: string): Promise<Run | undefined> {
      const rows = await db
        .select()
        .from(runs)
        .where(
          and(
            eq(runs.routine, routine),
            inArray(runs.state, ['published', 'unchanged', 'reported']),
            eq(runs.trial, false),
          ),
        )
        .orderBy(desc(runs.createdAt))
        .limit(1)
      return rows[0]
    },

    /** How many of its slots passed without a run since then; since ever without an instant. */
    async missedSince(routine: string, since: Date | undefined): Promise<number> {
      const rows = await db
        .select({ n: count() })
        .from(slots)
        .where(and(eq(slots.routine, routine), eq(slots.outcome, 'missed'), since && gt(slots.at, since)))
      return rows[0]!.n
    },
  }
}

/** At least one, however large. */
function newestWithin(newestFirst: readonly { id: string; bytes: number }[], most: number): string[] {
  let sum = 0
  const end = newestFirst.findIndex(({ bytes }, index) => (sum += bytes) > most && index > 0)
  return newestFirst.slice(0, end === -1 ? undefined : end).map(({ id }) => id)
}
