import { lookup as resolve } from 'node:dns'
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { RequestFilteringHttpsAgent } from 'request-filtering-agent'
import { AddressRefused, messageOf, OutsideUnreachable } from '../errors.ts'
import { readDestination, type Destination } from './address.ts'
import { isFiltered, publicOnly } from './public-lookup.ts'
import { readBody, UnreadableBody } from './read-body.ts'

type Ask = {
  /** Default GET. */
  method?: 'GET' | 'POST'
  headers?: Readonly<Record<string, string>>
  body?: string | Buffer
  /** Of the answer's body, unpacked. Default 1 MiB. */
  maxBytes?: number
  /** From the first step to the last byte. Default 15 s. */
  timeoutMs?: number
  /** How many redirects are followed, within the same scheme, host and port; default 0: they are an answer like others. For GET. */
  redirects?: number
  signal?: AbortSignal
}
export type Answer = { status: number; headers: IncomingHttpHeaders; body: Buffer }

/**
 * Asks an address that somebody else may have chosen. Throws AddressRefused when it must not be asked, and OutsideUnreachable
 * when no whole answer came; every status is an answer.
 */
export type GuardedFetch = (url: string, ask?: Ask) => Promise<Answer>

export type GuardOptions = {
  /** `name` or `name:port`, exact: these may be private, and may go without TLS. */
  allowedHosts: readonly string[]
  lookup?: LookupFunction
}

/**
 * https alone, and only to addresses that everybody can reach. A name is resolved once for a connection, every address it has is
 * judged, and the connection goes to one of these: an answer that changes afterwards changes nothing. Connections are not kept,
 * so each request is judged. A proxy of the environment is not used: it would resolve the name again, out of our sight.
 */
export function createGuardedFetch({ allowedHosts, lookup = resolve }: GuardOptions): GuardedFetch {
  const agents = {
    http: new HttpAgent({ lookup }),
    https: new HttpsAgent({ lookup }),
    filtering: new RequestFilteringHttpsAgent({ lookup: publicOnly(lookup, notPublic) }),
  }

  function send({ url, isListed }: Destination, ask: Ask, signal: AbortSignal): Promise<IncomingMessage> {
    const { method = 'GET', headers, body } = ask
    const options = { method, signal, headers: { 'accept-encoding': 'gzip', ...headers } }
    return new Promise((answered, failed) => {
      const sent =
        url.protocol === 'http:'
          ? httpRequest(url, { ...options, agent: agents.http })
          : httpsRequest(url, { ...options, agent: isListed ? agents.https : agents.filtering })
      sent.on('response', answered)
      sent.on('error', failed)
      sent.end(body)
    })
  }

  async function follow(url: string, ask: Ask, signal: AbortSignal): Promise<Answer> {
    const destination = readDestination(url, allowedHosts)
    if ('refused' in destination) throw new AddressRefused(destination.refused, destination.hint)
    const answer = await send(destination, ask, signal)
    try {
      const { redirects = 0, maxBytes = 1024 ** 2 } = ask
      const next = redirects > 0 ? redirectOf(answer, destination.url) : undefined
      if (next !== undefined) return await follow(next, { ...ask, redirects: redirects - 1 }, signal)
      return { status: answer.statusCode ?? 0, headers: answer.headers, body: await readBody(answer, maxBytes) }
    } finally {
      answer.destroy()
    }
  }

  return async (url, ask = {}) => {
    const { timeoutMs = 15_000, signal } = ask
    const late = AbortSignal.timeout(timeoutMs)
    try {
      return await follow(url, ask, signal ? AbortSignal.any([signal, late]) : late)
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof AddressRefused) throw error
      const { host } = new URL(url)
      if (isFiltered(error)) throw notPublic(host)
      throw new OutsideUnreachable(
        host,
        late.aborted ? `no whole answer within ${timeoutMs / 1000} s` : why(error),
        error,
      )
    }
  }
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage, from: URL): string | undefined {
  const { location } = headers
  if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined) return undefined
  const next = URL.parse(location, from.href)
  if (next?.origin === from.origin) return next.href
  throw new AddressRefused(`${from.host} sends us on to another host`, 'write the address it leads to')
}

function notPublic(host: string): AddressRefused {
  return new AddressRefused(
    `${host} is not at a public address`,
    `use a public one, or list ${host} in OVERNIGHT_ALLOW_HOSTS`,
  )
}

/** The message of Node holds addresses and paths; its code is enough. */
function why(error: unknown): string {
  if (error instanceof UnreadableBody) return error.message
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error)
}
