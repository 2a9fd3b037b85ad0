import { createAppAuth } from '@octokit/auth-app'
import { retry } from '@octokit/plugin-retry'
import { throttling } from '@octokit/plugin-throttling'
import { Octokit } from '@octokit/rest'

const Client = Octokit.plugin(retry, throttling)
export type Client = InstanceType<typeof Client>

/** How long we try before a step gives way. The defaults are for github.com; tests are more hurried. */
export type Patience = {
  /** One request, its answer included. */
  requestTimeoutMs: number
  /** A limit at most so long is waited out inside the step; after a longer one the run gives way. */
  waitAtMostMs: number
  /** The first pause before a request is repeated after a 5xx; the next are 4 and 9 times as long. */
  pauseMs: number
  /** Keeps the distance GitHub asks for: a second between writes, three between pull requests. */
  spaced: boolean
  /** git gives up when not a byte came for so long. */
  silentSeconds: number
}
export const ordinaryPatience: Patience = {
  requestTimeoutMs: 30_000,
  waitAtMostMs: 60_000,
  pauseMs: 1000,
  spaced: true,
  silentSeconds: 60,
}

/** Not repeated: the answer would be the same. Limits (403, 429) have their own waiting. */
const final = [400, 401, 403, 404, 409, 410, 422, 429, 451]

type As = { token: string | undefined } | { appId: string; privateKey: string }
export type ClientOptions = { api: string; patience: Patience; signal: AbortSignal | undefined }

/** A client of the API, signed in with a token, as an App, or not at all. */
export function createClient(as: As, { api, patience, signal }: ClientOptions): Client {
  const mayWait = (seconds: number, ...[, , waited]: [request: object, client: object, waited: number]) =>
    seconds * 1000 <= patience.waitAtMostMs && waited < 3
  return new Client({
    ...authOf(as),
    baseUrl: api,
    userAgent: 'overnight',
    log: { debug: silent, info: silent, warn: silent, error: silent },
    request: { fetch: timed(patience.requestTimeoutMs, signal) },
    retry: { doNotRetry: final, retries: 2, retryAfterBaseValue: patience.pauseMs },
    throttle: { enabled: patience.spaced, onRateLimit: mayWait, onSecondaryRateLimit: mayWait },
  })
}

function authOf(as: As) {
  if ('appId' in as) return { authStrategy: createAppAuth, auth: as }
  return as.token === undefined ? {} : { auth: as.token }
}

/** What a person must know is in the error that the step raises. */
function silent(): void {}

/** The signal covers the answer's body, too. */
function timed(timeoutMs: number, stop: AbortSignal | undefined): typeof fetch {
  return (input, init) => {
    const signals = [init?.signal, stop, AbortSignal.timeout(timeoutMs)].filter(
      (signal) => signal instanceof AbortSignal,
    )
    return fetch(input, { ...init, signal: AbortSignal.any(signals) })
  }
}

/** github.com and companies at ghe.com have their API at a host of its own, Enterprise servers below their own address. */
export function apiOf(url: string): string {
  const { host } = new URL(url)
  return host === 'github.com' || host.endsWith('.ghe.com') ? `https://api.${host}` : `${url}/api/v3`
}
