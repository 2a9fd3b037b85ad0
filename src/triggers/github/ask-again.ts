import { messageOf, StepFailed } from '../../errors.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Log } from '../../log.ts'

export type Attempt = { id: string; guid: string; deliveredAt: Date; event: string; isOk: boolean }
export type AskAgainTools = {
  ledger: Ledger
  deliveries: {
    page(cursor: string | undefined): Promise<{ attempts: Attempt[]; next: string | undefined }>
    sendAgain(id: string): Promise<void>
  }
  log: Log
}
/** How far a look came, and what it did; kept so that another process, or the next start, goes on from there. */
export type Look = {
  /** Everything older was looked at before. */
  until: string
  /** The page to go on with; undefined = the look is over. */
  cursor?: string
  startedAt: string
  missing: number
  asked: number
  error?: string
}

const settingKey = 'github.redeliveries'
const everyMs = 10 * 60_000
/** A service that has just started may have missed something a moment ago; one that starts over and over must not ask all the time. */
const atStartMs = 60_000
/** GitHub remembers for three days, and sends nothing older again. https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks */
const memoryMs = 3 * 86_400_000
/** A delivery that failed while the last look went on is seen by the next one. */
const overlapMs = 3_600_000
const most = { pages: 20, asked: 200, attempts: 5, failed: 5 }

/**
 * Of the attempts on a page those that are to be made again: nothing of that delivery is on record, none of its attempts was taken,
 * and it was not tried too often.
 */
export function choose(attempts: readonly Attempt[], known: ReadonlySet<string>, now: Date): Attempt[] {
  const byGuid = Map.groupBy(attempts, ({ guid }) => guid)
  return [...byGuid].flatMap(([guid, tries]) => {
    const last = tries.toSorted((a, b) => b.deliveredAt.getTime() - a.deliveredAt.getTime())[0]!
    const isOver = known.has(guid) || tries.some(({ isOk }) => isOk) || tries.length >= most.attempts
    const age = now.getTime() - last.deliveredAt.getTime()
    return isOver || age > memoryMs ? [] : [last]
  })
}

/** At start and every ten minutes, in one of all processes: what GitHub could not deliver meanwhile is asked for again. */
export function createAskAgain({ ledger, deliveries, log }: AskAgainTools) {
  /** All of a look at once: how often a delivery was tried is told by its newest and its oldest attempt together. */
  async function read(state: Look): Promise<{ attempts: Attempt[]; next: string | undefined }> {
    const attempts: Attempt[] = []
    let cursor = state.cursor
    for (let pages = 0; pages < most.pages; pages++) {
      const page = await deliveries.page(cursor)
      attempts.push(...page.attempts)
      cursor = page.next
      const oldest = page.attempts.at(-1)?.deliveredAt.toISOString()
      if (cursor === undefined || oldest === undefined || oldest < state.until) return { attempts, next: undefined }
    }
    return { attempts, next: cursor }
  }

  /** One that GitHub cannot send again does not keep the others from it. Resolves with how many were asked for. */
  async function askFor(missing: readonly Attempt[]): Promise<number> {
    let [asked, failed] = [0, 0]
    for (const { id, guid, event } of missing) {
      try {
        await deliveries.sendAgain(id)
        asked += 1
        log.info({ delivery: guid, event }, 'an event that did not arrive is asked for again')
      } catch (error) {
        if (isForAll(error) || (isAway(error) && ++failed >= most.failed)) throw error
        log.warn({ delivery: guid, event, error: messageOf(error) }, 'an event that did not arrive cannot be asked for')
      }
    }
    return asked
  }

  async function look(now: Date, state: Look): Promise<Look> {
    const { attempts, next } = await read(state)
    const known = await ledger.deliveries.known('github', [...new Set(attempts.map(({ guid }) => guid))])
    const missing = choose(attempts, known, now)
    const asked = state.asked + (await askFor(missing.slice(0, most.asked)))
    const done = { ...state, missing: state.missing + missing.length, asked }
    // What is too much for once is found again by the next look.
    if (missing.length > most.asked) return state
    return next === undefined ? over(done) : { ...done, cursor: next }
  }

  const state = { isFirst: true }
  return {
    /** What goes wrong at GitHub is in the log and kept beside how far the look came; rejects when the ledger is away. */
    async tick(): Promise<void> {
      const before = await ledger.settings.take(settingKey, {
        everyMs: state.isFirst ? atStartMs : everyMs,
        by: 'service',
      })
      state.isFirst = false
      if (before === undefined) return
      const now = await ledger.now()
      try {
        await ledger.settings.put(settingKey, await look(now, resume(now, before)), 'service')
      } catch (error) {
        log.warn({ error: messageOf(error) }, 'GitHub could not be asked for events that did not arrive')
        // A page that GitHub does not know any more would fail for ever: the next look begins with the newest.
        const { cursor: _cursor, ...rest } = before
        await ledger.settings.put(settingKey, { ...rest, error: messageOf(error) }, 'service')
      }
    },
  }
}

/** Sign-in, permission and limits are the same for the next one. */
const isForAll = (error: unknown) =>
  error instanceof StepFailed && (error.reason === 'forge_denied' || error.retryAfterMs !== undefined)
const isAway = (error: unknown) => error instanceof StepFailed && error.retryable

function resume(now: Date, before: Partial<Look>): Look {
  const earliest = new Date(now.getTime() - memoryMs).toISOString()
  const { cursor, until = earliest, startedAt = now.toISOString() } = before
  if (cursor !== undefined) return { until, startedAt, cursor, missing: before.missing ?? 0, asked: before.asked ?? 0 }
  return { until: until < earliest ? earliest : until, startedAt: now.toISOString(), missing: 0, asked: 0 }
}

/** The next look needs to go back to where this one began. */
function over(look: Look): Look {
  const { cursor: _cursor, ...state } = look
  return { ...state, until: new Date(Date.parse(state.startedAt) - overlapMs).toISOString() }
}
