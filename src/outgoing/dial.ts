import { lookup as resolve } from 'node:dns'
import { connect, Socket, type LookupFunction } from 'node:net'
import { RequestFilteringHttpAgent } from 'request-filtering-agent'
import { AddressRefused, messageOf, OutsideUnreachable } from '../errors.ts'
import { isListed } from './address.ts'
import { createAskNames } from './ask-names.ts'
import { isFiltered, publicOnly } from './public-lookup.ts'

export type DialOptions = {
  /** `name` or `name:port`, exact: these may be private, where they were named. */
  allowedHosts?: readonly string[]
  /** Default: name servers are asked; for hosts that the operator listed, the system. */
  lookup?: LookupFunction
  /** Addresses or ranges (CIDR) that count as public, for a network of one's own. */
  alsoPublic?: readonly string[]
  connectMs?: number
}

/**
 * A connection to a host that somebody else may have chosen. Throws AddressRefused when it is at no public address, and
 * OutsideUnreachable when there was no connection in time.
 */
export type Dial = (to: To, signal: AbortSignal) => Promise<Socket>
/** `isNamed`: somebody wrote this very host down. */
export type To = { host: string; port: number; isNamed: boolean }

/**
 * The name is resolved once, every address it has is judged, and the connection goes to one of these: an answer that changes
 * afterwards changes nothing.
 */
export function createDial(options: DialOptions = {}): Dial {
  const { allowedHosts = [], lookup = createAskNames(), alsoPublic = [], connectMs = 15_000 } = options
  const agent = new RequestFilteringHttpAgent({ allowIPAddressList: [...alsoPublic] })
  const publicLookup = publicOnly(lookup, notPublic)

  return async ({ host, port, isNamed }, signal) => {
    const late = AbortSignal.timeout(connectMs)
    const to = { host, port, allowHalfOpen: true }
    const socket =
      isNamed && isListed(new URL(`https://${host}:${port}`), allowedHosts)
        ? connect({ ...to, lookup: options.lookup ?? resolve })
        : agent.createConnection({ ...to, lookup: publicLookup })
    if (!(socket instanceof Socket)) throw new OutsideUnreachable(host, 'no connection could be made', undefined)
    try {
      await connected(socket, AbortSignal.any([signal, late]))
      return socket
    } catch (error) {
      socket.destroy()
      signal.throwIfAborted()
      if (error instanceof AddressRefused) throw error
      if (isFiltered(error)) throw notPublic(host)
      throw new OutsideUnreachable(
        host,
        late.aborted ? `no connection within ${connectMs / 1000} s` : why(error),
        error,
      )
    }
  }
}

function connected(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error('stopped'))
    const forget = () => signal.removeEventListener('abort', stop)
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    socket.once('connect', () => (forget(), resolve()))
    // Stays: what breaks a connection later is heard by whoever reads it.
    socket.on('error', (error) => (forget(), reject(error)))
  })
}

function notPublic(host: string): AddressRefused {
  return new AddressRefused(
    `${host} is not at a public address`,
    `agents reach public addresses alone, and hosts of their routine that are listed in OVERNIGHT_ALLOW_HOSTS`,
  )
}

/** The message of Node holds addresses; its code is enough. */
function why(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error)
}
