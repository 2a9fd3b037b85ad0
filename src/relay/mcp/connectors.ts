import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GuardedRequest } from '../../outgoing/guarded-request.ts'
import { shown } from '../egress/authority.ts'
import type { Journal } from '../journal.ts'
import { bringsToken } from '../token.ts'
import { createCallBook } from './call-book.ts'
import { createDesk } from './desk.ts'
import { refuse } from './say.ts'
import type { ConnectorWay } from './server-side.ts'

export type ConnectorOptions = {
  ways: readonly ConnectorWay[]
  request: GuardedRequest
  /** Known secrets are replaced. */
  redact(text: string): string
}
type Way = {
  token: string
  connectors: ConnectorOptions
  journal: Pick<Journal, 'refused'>
  tell(text: string): void
}

/** The address of a connector below that of the relay. */
export const connectorPath = (name: string): string => `/mcp/${name}`
/** A client has one stream that it listens on, and as many as it has calls at work. */
const mostAtOnce = 16

/** The connectors of a run: each at its own path, with the tools and the secrets that its routine has of it. */
export function createConnectors({ token, connectors, journal, tell }: Way) {
  const { ways, ...rest } = connectors
  const book = createCallBook(tell)
  const shared = { ...rest, book, room: { bytes: 0 }, spent: { calls: 0 } }
  const desks = new Map(ways.map((way) => [connectorPath(way.name), createDesk(way, shared)]))
  const closing = new AbortController()
  const open = new Set<Promise<void>>()

  return {
    async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
      // Compared as it was written: no other spelling of a path leads anywhere.
      const desk = bringsToken(request.headers, token) ? desks.get(request.url ?? '') : undefined
      const refuseTold = (status: number, message: string) => {
        journal.refused(shown(request.url ?? ''), `was answered: ${message}`)
        refuse(response, status, message)
      }
      if (!desk) return refuseTold(401, 'this is no connector of this run, or not its token')
      if (open.size >= mostAtOnce) return refuseTold(429, 'too many requests to connectors at once')
      const gone = new AbortController()
      response.once('close', () => gone.abort())
      const signal = AbortSignal.any([closing.signal, gone.signal])
      const led = desk.answer({ request, response, signal }).catch(() => void response.destroy())
      open.add(led)
      await led.finally(() => open.delete(led))
    },
    /** Ends every request; what was called is told by then. */
    async close(): Promise<void> {
      closing.abort()
      await Promise.allSettled(open)
      book.close()
    },
  }
}
