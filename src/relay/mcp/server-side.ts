import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { messageOf, OvernightError } from '../../errors.ts'
import type { GuardedRequest } from '../../outgoing/guarded-request.ts'
import { isFiltered } from '../../outgoing/public-lookup.ts'

/** A connector of one run. */
export type ConnectorWay = {
  name: string
  url: string
  mayCall(tool: string): boolean
  /** Of these only what the server says changes nothing. */
  onlyReads: boolean
  /** What it is asked with, its secrets filled in as they are now. Throws an OvernightError that says what is missing. */
  headers(): Promise<Readonly<Record<string, string>>>
}

/** No whole answer came, or none for an agent; the message says why, to people and agents. */
export class NoAnswer extends Error {}

type Ask = { method: 'GET' | 'POST' | 'DELETE'; headers: Record<string, string>; body?: string; signal: AbortSignal }
export type ServerSide = {
  /** Whatever its status, but for redirects and a server that does not take our secret. Throws NoAnswer. */
  ask(ask: Ask): Promise<IncomingMessage>
}

const connectMs = 15_000
/** A tool may work for a while, and a stream may have nothing to say. */
const silentMs = 10 * 60_000

/** The connector's server as this run asks it: nothing of what the agent sends but the body and what names a session. */
export function createServerSide({ name, url, headers }: ConnectorWay, request: GuardedRequest): ServerSide {
  const state: { headers?: Readonly<Record<string, string>> } = {}

  const send = async (own: Readonly<Record<string, string>>, ask: Ask) =>
    request(url, { ...ask, headers: { ...own, ...ask.headers }, connectMs, silentMs })

  async function filled(): Promise<Readonly<Record<string, string>>> {
    state.headers = await headers()
    return state.headers
  }

  /** A secret that was replaced meanwhile is looked at again; what a server turned away was not done. */
  async function sendSignedIn(ask: Ask): Promise<IncomingMessage> {
    const before = state.headers ?? (await filled())
    const answer = await send(before, ask)
    if (!isTurnedAway(answer)) return answer
    answer.destroy()
    const now = await filled()
    if (JSON.stringify(now) === JSON.stringify(before)) throw new NoAnswer(saidNo(name, answer))
    const again = await send(now, ask)
    if (!isTurnedAway(again)) return again
    again.destroy()
    throw new NoAnswer(saidNo(name, again))
  }

  return {
    async ask(ask) {
      try {
        const answer = await sendSignedIn(ask)
        const status = answer.statusCode ?? 0
        if (status < 300 || status >= 400) return answer
        answer.destroy()
        // To follow it would hand the secret to another address.
        throw new NoAnswer(`${name} answered with a redirect (${status})`)
      } catch (error) {
        if (ask.signal.aborted || error instanceof NoAnswer) throw error
        throw new NoAnswer(`${name} could not be reached (${why(error)})`)
      }
    },
  }
}

const saidNo = (name: string, { statusCode }: IncomingMessage) =>
  statusCode === 401 ? `${name} does not take its secret` : `${name} does not allow it to its secret (403)`
const isTurnedAway = ({ statusCode }: IncomingMessage) => statusCode === 401 || statusCode === 403

/** No address, and nothing of a secret: the agent hears it, too. */
function why(error: unknown): string {
  if (isFiltered(error)) return 'it is at no public address'
  if (error instanceof OvernightError) return error.message
  if (error instanceof Error && 'code' in error) return String(error.code)
  return messageOf(error)
}

/** Visible ASCII (MCP, session management). */
const visible = /^[\x21-\x7e]{1,1024}$/

/** Of what an agent's client sends, what belongs to the protocol. */
export function onwardHeaders(received: IncomingHttpHeaders): Record<string, string> {
  const onward = ['mcp-session-id', 'mcp-protocol-version', 'last-event-id'].flatMap((header) => {
    const value = received[header]
    return typeof value === 'string' && visible.test(value) ? [[header, value] as const] : []
  })
  return { ...Object.fromEntries(onward), 'accept-encoding': 'identity', 'user-agent': 'overnight' }
}
