import { messageOf, OvernightError, StepFailed } from '../../errors.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Log } from '../../log.ts'
import { memoryMs, missedIn, missedKey, nextPlaces, over, resume, type Look, type PlaceKept } from './missed.ts'

export type Attempt = { id: string; guid: string; deliveredAt: Date; event: string; isOk: boolean }
/** A webhook at GitHub that writes to us. */
type Hook = {
  name: string
  page(cursor: string | undefined): Promise<{ attempts: Attempt[]; next: string | undefined }>
  sendAgain(id: string): Promise<void>
}
export type Place = { name: string; hooks(): Promise<readonly Hook[]> }
export type AskAgainTools = {
  ledger: Ledger
  /** Where webhooks write to us from: the App, or each repository that routines hear of. */
  places(): Promise<readonly Place[]>
  log: Log
}

const everyMs = 10 * 60_000
/** A service that has just started may have missed something a moment ago; one that starts over and over must not ask all the time. */
const atStartMs = 60_000
/** A token has 5,000 requests an hour, and runs need them, too: 50 places are some 600. */
const most = { places: 50, pages: 20, asked: 200, attempts: 5, failed: 5 }

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
export function createAskAgain({ ledger, places, log }: AskAgainTools) {
  /** All of a look at once: how often a delivery was tried is told by its newest and its oldest attempt together. */
  async function read(hook: Hook, state: Look): Promise<{ attempts: Attempt[]; next: string | undefined }> {
    const attempts: Attempt[] = []
    let cursor = state.cursor
    for (let pages = 0; pages < most.pages; pages++) {
      const page = await hook.page(cursor)
      attempts.push(...page.attempts)
      cursor = page.next
      const oldest = page.attempts.at(-1)?.deliveredAt.toISOString()
      if (cursor === undefined || oldest === undefined || oldest < state.until) return { attempts, next: undefined }
    }
    return { attempts, next: cursor }
  }

  /** One that GitHub cannot send again does not keep the others from it. Resolves with how many were asked for. */
  async function askFor(hook: Hook, missing: readonly Attempt[]): Promise<number> {
    let [asked, failed] = [0, 0]
    for (const { id, guid, event } of missing) {
      try {
        await hook.sendAgain(id)
        asked += 1
        log.info({ delivery: guid, event }, 'an event that did not arrive is asked for again')
      } catch (error) {
        if (isForAll(error) || (isAway(error) && ++failed >= most.failed)) throw error
        log.warn({ delivery: guid, event, error: messageOf(error) }, 'an event that did not arrive cannot be asked for')
      }
    }
    return asked
  }

  async function look(now: Date, hook: Hook, state: Look): Promise<Look> {
    const { attempts, next } = await read(hook, state)
    const known = await ledger.deliveries.known('github', [...new Set(attempts.map(({ guid }) => guid))])
    const missing = choose(attempts, known, now)
    const asked = state.asked + (await askFor(hook, missing.slice(0, most.asked)))
    const done = { ...state, missing: state.missing + missing.length, asked }
    // What is too much for once is found again by the next look.
    if (missing.length > most.asked) return { ...state, asked }
    return next === undefined ? over(done) : { ...done, cursor: next }
  }

  /** What goes wrong is kept beside how far the look came, and said when it is news. */
  async function lookAt(place: Place, before: PlaceKept | undefined, now: Date): Promise<[PlaceKept, error?: unknown]> {
    const looks: Record<string, Look> = {}
    const kept = (asked: number) => ({ lookedAt: now.toISOString(), asked, looks })
    try {
      const hooks = await place.hooks()
      for (const hook of hooks) {
        const last = before?.looks[hook.name]
        // A page that GitHub does not know any more would fail for ever: after a failure the next look begins with the newest.
        if (last) looks[hook.name] = withoutCursor(last)
        looks[hook.name] = await look(now, hook, resume(now, last))
      }
      return [kept(Object.values(looks).reduce((sum, { asked }) => sum + asked, 0))]
    } catch (error) {
      const hint = error instanceof OvernightError && error.hint !== undefined ? { hint: error.hint } : {}
      const told = { error: messageOf(error), ...hint }
      if (before?.error !== told.error)
        log.warn({ at: place.name, ...told }, 'GitHub could not be asked for events that did not arrive')
      return [{ ...kept(0), looks: { ...before?.looks, ...looks }, ...told }, error]
    }
  }

  const state = { isFirst: true }
  return {
    /** Rejects when the ledger is away; what goes wrong at GitHub is kept. */
    async tick(): Promise<void> {
      const row = await ledger.settings.take(missedKey, { everyMs: state.isFirst ? atStartMs : everyMs, by: 'service' })
      state.isFirst = false
      if (row === undefined) return
      const now = await ledger.now()
      const [before, all] = [missedIn(row), await places()]
      const after = Object.fromEntries(all.flatMap(({ name }) => (before[name] ? [[name, before[name]]] : [])))
      for (const place of nextPlaces(all, before, most.places)) {
        const [found, error] = await lookAt(place, before[place.name], now)
        after[place.name] = found
        if (isAway(error)) break
      }
      await ledger.settings.put(missedKey, { places: after }, 'service')
    },
  }
}

function withoutCursor({ cursor: _cursor, ...look }: Look): Look {
  return look
}

/** Sign-in, permission and limits are the same for the next one. */
const isForAll = (error: unknown) =>
  error instanceof StepFailed && (error.reason === 'forge_denied' || error.retryAfterMs !== undefined)
const isAway = (error: unknown) => error instanceof StepFailed && error.retryable
