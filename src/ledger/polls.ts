import { and, eq, inArray, lte, sql } from './sql.ts'
import { polls, type PollRow } from './schema.ts'
import type { Database } from './store.ts'

export type Looked = Pick<PollRow, 'etag' | 'lastModified' | 'error'>

const seconds = (ms: number) => sql`make_interval(secs => ${ms / 1000}::double precision)`

/** When sources that are asked were asked, and what they said of themselves. */
export function createPolls(db: Database) {
  return {
    /**
     * Known from now on, and due at once when it is new; one that is to be asked more often than before is due the sooner, unless it
     * fails: every start would forget its pause.
     */
    async ensure(source: string, everyMs: number): Promise<void> {
      const sooner = sql`least(${polls.nextAt}, clock() + ${seconds(everyMs)})`
      await db
        .insert(polls)
        .values({ source })
        .onConflictDoUpdate({ target: polls.source, set: { nextAt: sooner }, setWhere: eq(polls.failures, 0) })
    },

    /** Of these sources, those that are due. */
    async due(sources: readonly string[]): Promise<string[]> {
      const rows = await db
        .select({ source: polls.source })
        .from(polls)
        .where(and(inArray(polls.source, [...sources]), lte(polls.nextAt, sql`clock()`)))
      return rows.map(({ source }) => source)
    },

    /** One look: in all processes together nobody else gets it, and the next one is not before `everyMs`. */
    async claim(source: string, everyMs: number): Promise<PollRow | undefined> {
      const rows = await db
        .update(polls)
        .set({ nextAt: sql`clock() + ${seconds(everyMs)}`, lookedAt: sql`clock()` })
        .where(and(eq(polls.source, source), lte(polls.nextAt, sql`clock()`)))
        .returning()
      return rows[0]
    },

    /** It was seen as a whole: from now on what is new is news. */
    async done(source: string, looked: Looked): Promise<void> {
      await db
        .update(polls)
        .set({ ...looked, hasBaseline: true, failures: 0 })
        .where(eq(polls.source, source))
    },

    /** It could not be seen; the next look is after `pauseMs`. */
    async failed(source: string, error: string, pauseMs: number): Promise<void> {
      await db
        .update(polls)
        .set({ error, failures: sql`${polls.failures} + 1`, nextAt: sql`clock() + ${seconds(pauseMs)}` })
        .where(eq(polls.source, source))
    },

    async list(sources: readonly string[]): Promise<PollRow[]> {
      return sources.length === 0
        ? []
        : db
            .select()
            .from(polls)
            .where(inArray(polls.source, [...sources]))
    },
  }
}
