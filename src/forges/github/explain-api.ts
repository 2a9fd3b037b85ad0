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
  if (error instanceof z.ZodError) return explainUnread(error, doing)
  const distrust = distrustIn(error)
  if (distrust !== undefined)
    return new StepFailed('forge_unavailable', `GitHub's server is not trusted while ${doing}: ${distrust}`, {
      hint: certificateHint,
      cause: error,
    })
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

export const certificateHint =
  "correct OVERNIGHT_GITHUB_URL, or name the file with the authority's certificate in NODE_EXTRA_CA_CERTS; then start the service again"

/** Half a body and the page of a proxy are no answer: that passes. One that lacks what we read is, and hours would not change it. */
function explainUnread(error: z.ZodError, doing: Doing): StepFailed {
  const message = `GitHub's answer could not be read while ${doing}`
  const [issue] = error.issues.filter(({ path }) => path.length > 0)
  if (issue === undefined) return unavailable(message, error)
  return new StepFailed('internal', `${message}: ${issue.path.join('.')}: ${issue.message}`, {
    retryable: true,
    hint: 'see whether a newer version of Overnight reads it, then retry the run',
    cause: error,
  })
}

/** The certificate that was not accepted: no waiting makes it better. Clients wrap what the connection said. */
function distrustIn(error: unknown, depth = 0): string | undefined {
  if (!(error instanceof Error) || depth > 4) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const isDistrust = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|HOSTNAME_MISMATCH|ERR_SSL_WRONG_VERSION/.test(code)
  return isDistrust ? error.message.split('\n')[0]!.slice(0, 300) : distrustIn(error.cause, depth + 1)
}

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
