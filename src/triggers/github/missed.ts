/** How far a look at one webhook came, and what it did; kept so that another process, or the next start, goes on from there. */
export type Look = {
  /** Everything older was looked at before. */
  until: string
  /** The page to go on with; undefined = the look is over. */
  cursor?: string
  startedAt: string
  missing: number
  asked: number
}
/** A place with webhooks at GitHub (the App, a repository) as it was found last. */
export type PlaceKept = {
  lookedAt: string
  /** How many events were asked for by that look. */
  asked: number
  error?: string
  /** What can be done about the error. */
  hint?: string
  looks: Record<string, Look>
}
/** By name. */
export type Missed = Record<string, PlaceKept>

/** Where it is kept, for all processes. */
export const missedKey = 'github.redeliveries'

/** What was kept; before the first look it is nothing. */
export function missedIn({ places }: Record<string, unknown>): Missed {
  return isKept(places) ? places : {}
}
/** Nobody else writes it. */
const isKept = (places: unknown): places is Missed => typeof places === 'object' && places !== null

/** GitHub remembers for three days, and sends nothing older again. https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks */
export const memoryMs = 3 * 86_400_000
/** A delivery that failed while the last look went on is seen by the next one. */
const overlapMs = 3_600_000

/** A look begins, or goes on where an earlier one stopped. */
export function resume(now: Date, before: Look | undefined): Look {
  const earliest = new Date(now.getTime() - memoryMs).toISOString()
  if (before?.cursor !== undefined) return before
  const until = before === undefined || before.until < earliest ? earliest : before.until
  return { until, startedAt: now.toISOString(), missing: 0, asked: 0 }
}

/** The next look needs to go back to where this one began. */
export function over(look: Look): Look {
  const { cursor: _cursor, ...state } = look
  return { ...state, until: new Date(Date.parse(state.startedAt) - overlapMs).toISOString() }
}

/** Of these places so many, those first that were not looked at for longest. */
export function nextPlaces<Place extends { name: string }>(places: readonly Place[], kept: Missed, most: number) {
  const last = ({ name }: Place) => kept[name]?.lookedAt ?? ''
  return places.toSorted((a, b) => Number(last(a) > last(b)) - Number(last(a) < last(b))).slice(0, most)
}
