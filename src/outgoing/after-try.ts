const [second, minute, hour] = [1000, 60_000, 3_600_000]
/** https://www.standardwebhooks.com, "Deliverability and reliability": ten tries in about three days. */
const waitsMs = [5 * second, 5 * minute, 0.5 * hour, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]
const longestMs = 24 * hour

/** What became of one try; `failed` says why there is no answer. */
export type Tried = { status: number; retryAfter?: string | undefined } | { failed: string }
export type AfterTry =
  | { act: 'sent' }
  | { act: 'later'; inMs: number; error: string }
  | { act: 'give_up'; error: string }

/** `tries`: those that were made, this one included. `chance` (0 to 1) spreads what failed together. */
export function afterTry(tried: Tried, { tries, chance, now }: { tries: number; chance: number; now: Date }): AfterTry {
  if ('status' in tried && tried.status >= 200 && tried.status < 300) return { act: 'sent' }
  const error = 'failed' in tried ? tried.failed : `it answered ${tried.status}${isRedirect(tried.status)}`
  if ('status' in tried && tried.status === 410) return { act: 'give_up', error: `${error}: it wants no more` }
  const wait = waitsMs[tries - 1]
  if (wait === undefined) return { act: 'give_up', error: `${error}, after ${tries} tries` }
  const asked = 'retryAfter' in tried ? retryAfterMs(tried.retryAfter, now) : 0
  return { act: 'later', inMs: Math.round(Math.max(wait * (1 + chance / 10), asked)), error }
}

const isRedirect = (status: number) => (status >= 300 && status < 400 ? '; redirects are not followed' : '')

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfterMs(text: string | undefined, now: Date): number {
  const ms = /^\d+$/.test(text ?? '') ? Number(text) * second : Date.parse(text ?? '') - now.getTime()
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), longestMs) : 0
}
