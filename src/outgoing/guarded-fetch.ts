import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { AddressRefused, messageOf, OutsideUnreachable } from '../errors.ts'
import { createGuardedRequest, notPublic, type GuardOptions } from './guarded-request.ts'
import { isFiltered } from './public-lookup.ts'
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

/** As `createGuardedRequest`, and the whole answer. */
export function createGuardedFetch(options: GuardOptions): GuardedFetch {
  const send = createGuardedRequest(options)

  async function follow(url: string, ask: Ask, signal: AbortSignal): Promise<Answer> {
    const { method = 'GET', headers, body } = ask
    const answer = await send(url, { method, headers: { 'accept-encoding': 'gzip', ...headers }, body, signal })
    try {
      const { redirects = 0, maxBytes = 1024 ** 2 } = ask
      const next = redirects > 0 ? redirectOf(answer, new URL(url)) : undefined
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

/** The message of Node holds addresses and paths; its code is enough. */
function why(error: unknown): string {
  if (error instanceof UnreadableBody) return error.message
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error)
}
