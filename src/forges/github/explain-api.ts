import { z } from 'zod'
import { messageOf, StepFailed } from '../../errors.ts'
import { type ApiError, apiErrorOf, saidBy } from './answers.ts'

/** What was being done, as the end of a sentence: "opening the pull request in acme/shop". */
export type Doing = string

/** A limit that names no time is waited out for as long as GitHub's pages say. */
const unnamedLimitMs = 60_000

/**
 * How long GitHub wants to be left alone, in milliseconds; undefined when it does not say so. The reset is an instant of GitHub's
 * clock, so it is compared with the time of the answer and not with ours.
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export function limitedFor({ status, message, response }: ApiError, nowMs: number): number | undefined {
  if (status !== 403 && status !== 429) return undefined
  const headers = response?.headers ?? {}
  const wantedMs = Number(headers['retry-after'] ?? Number.NaN) * 1000
  if (Number.isFinite(wantedMs)) return wantedMs
  const untilReset = headers['x-ratelimit-remaining'] === '0' ? timeToReset(headers, nowMs) : Number.NaN
  if (Number.isFinite(untilReset)) return untilReset
  return status === 429 || /rate limit/i.test(message) ? unnamedLimitMs : undefined
}

function timeToReset(headers: Record<string, unknown>, nowMs: number): number {
  const theirs = Date.parse(typeof headers['date'] === 'string' ? headers['date'] : '')
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN) * 1000
  return Math.max(0, reset - (Number.isNaN(theirs) ? nowMs : theirs)) + 1000
}

/** What GitHub's answer, or the lack of one, means for the step. */
export function explainApi(error: unknown, doing: Doing, nowMs: number): unknown {
  if (error instanceof StepFailed) return error
  if (error instanceof z.ZodError) return unavailable(`GitHub's answer could not be read while ${doing}`, error)
  const told = apiErrorOf(error)
  if (!told) return isNetwork(error) ? unavailable(`GitHub could not be reached while ${doing}`, error) : error
  const limit = limitedFor(told, nowMs)
  if (limit !== undefined) {
    const seconds = Math.ceil(limit / 1000)
    return new StepFailed('forge_unavailable', `GitHub limits our requests for ${seconds} s (${doing})`, {
      retryable: true,
      retryAfterMs: limit,
      cause: error,
    })
  }
  if (told.status >= 500) return unavailable(`GitHub could not be reached while ${doing}: ${saidBy(told)}`, error)
  return explainRefusal(told, doing, error)
}

function explainRefusal(told: ApiError, doing: Doing, cause: unknown): StepFailed {
  const said = saidBy(told)
  const facts = (hint: string) => ({ hint, cause })
  if (told.status === 401)
    return new StepFailed(
      'forge_denied',
      `GitHub does not accept our credentials while ${doing}: ${said}`,
      facts(signInHint),
    )
  if (told.status === 403 && /archived/i.test(said))
    return new StepFailed('push_refused', `${said} (${doing})`, facts('unarchive the repository, then retry the run'))
  if (told.status === 403)
    return new StepFailed('forge_denied', `GitHub does not allow ${doing}: ${said}`, facts(permissionHint))
  if (told.status === 404 || told.status === 410 || told.status === 451)
    return new StepFailed('no_checkout', `not found while ${doing}`, facts(visibleHint))
  return new StepFailed(
    'push_refused',
    `GitHub refused ${doing}: ${said}`,
    facts('read what GitHub says, then retry the run'),
  )
}

export const signInHint = 'renew OVERNIGHT_GITHUB_TOKEN, or the key of the GitHub App, and start the service again'
export const permissionHint =
  'give the App or token read and write access to Contents and Pull requests of this repository'
export const visibleHint =
  'correct `repository:`, or give the App or token access to it: GitHub hides what they may not see'

function unavailable(message: string, cause: unknown): StepFailed {
  return new StepFailed('forge_unavailable', message, { retryable: true, cause })
}

function isNetwork(error: unknown): boolean {
  const name = error instanceof Error ? error.name : ''
  return (
    name === 'TimeoutError' ||
    name === 'AbortError' ||
    (name === 'TypeError' && /fetch|terminated/.test(messageOf(error)))
  )
}
