import { lookup as resolve } from 'node:dns'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { RequestFilteringHttpsAgent } from 'request-filtering-agent'
import { AddressRefused } from '../errors.ts'
import { readDestination } from './address.ts'
import { publicOnly } from './public-lookup.ts'

export type GuardOptions = {
  /** `name` or `name:port`, exact: these may be private, and may go without TLS. */
  allowedHosts: readonly string[]
  lookup?: LookupFunction
}
type Sent = {
  method: 'GET' | 'POST' | 'DELETE'
  headers: Readonly<Record<string, string>>
  body?: string | Buffer | undefined
  /** Default: as long as `signal` lets it. */
  connectMs?: number
  /** Between two bytes, once connected. Default: as long as `signal` lets it. */
  silentMs?: number
  signal: AbortSignal
}

/** Resolves with the head of the answer, whatever its status; its bytes are still to be read. Rejects with the errors of Node, or AddressRefused. */
export type GuardedRequest = (url: string, sent: Sent) => Promise<IncomingMessage>

/**
 * https alone, and only to addresses that everybody can reach. A name is resolved once for a connection, every address it has is
 * judged, and the connection goes to one of these: an answer that changes afterwards changes nothing. Connections are not kept,
 * so each request is judged. A proxy of the environment is not used: it would resolve the name again, out of our sight.
 */
export function createGuardedRequest({ allowedHosts, lookup = resolve }: GuardOptions): GuardedRequest {
  const agents = {
    http: new HttpAgent({ lookup }),
    https: new HttpsAgent({ lookup }),
    filtering: new RequestFilteringHttpsAgent({ lookup: publicOnly(lookup, notPublic) }),
  }

  return async (written, { method, headers, body, connectMs, silentMs, signal }) => {
    const to = readDestination(written, allowedHosts)
    if ('refused' in to) throw new AddressRefused(to.refused, to.hint)
    const options = { method, signal, headers }
    return new Promise((answered, failed) => {
      const sent =
        to.url.protocol === 'http:'
          ? httpRequest(to.url, { ...options, agent: agents.http })
          : httpsRequest(to.url, { ...options, agent: to.isListed ? agents.https : agents.filtering })
      const late = connectMs && setTimeout(() => sent.destroy(new Error('no connection in time')), connectMs)
      const arrived = () => clearTimeout(late)
      sent.on('socket', (socket) => socket.once(to.url.protocol === 'http:' ? 'connect' : 'secureConnect', arrived))
      if (silentMs !== undefined) sent.setTimeout(silentMs, () => sent.destroy(new Error('silent for too long')))
      sent.on('response', answered)
      sent.on('error', failed)
      sent.on('close', arrived)
      sent.end(body)
    })
  }
}

export function notPublic(host: string): AddressRefused {
  return new AddressRefused(
    `${host} is not at a public address`,
    `use a public one, or list ${host} in OVERNIGHT_ALLOW_HOSTS`,
  )
}
