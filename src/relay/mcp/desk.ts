import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { GuardedRequest } from '../../outgoing/guarded-request.ts'
import { receive, type BodyRoom } from '../receive.ts'
import type { CallBook } from './call-book.ts'
import { decide } from './decide.ts'
import { passDocument, passEvents, type Passing } from './pass-on.ts'
import { errorTo, rpcErrors, type Id, type RpcError } from './rpc.ts'
import { refuse, say } from './say.ts'
import { toolsOfRun } from './tools-of-run.ts'
import { createServerSide, NoAnswer, onwardHeaders, type ConnectorWay } from './server-side.ts'

type DeskOptions = {
  request: GuardedRequest
  /** Known secrets are replaced. */
  redact(text: string): string
  book: CallBook
  room: BodyRoom
  /** Of all connectors of the run together. */
  spent: { calls: number }
}
type Asked = { text: string; ids: readonly Id[] }
type Exchange = { request: IncomingMessage; response: ServerResponse; signal: AbortSignal }

/** Arguments of one call, or of several in a batch. */
const mostBytes = 8 * 1024 ** 2
const mostRoom = 32 * 1024 ** 2
const mostSessions = 100
/** Far more than a run needs: an agent that goes round in circles, or is told to, writes no ten thousand comments. */
const mostCalls = 1000
const accepted = 'application/json, text/event-stream'

/** One connector of one run, for whoever brought its token: streamable HTTP (MCP, transports). */
export function createDesk(way: ConnectorWay, { request: ask, redact, book, room, spent }: DeskOptions) {
  const server = createServerSide(way, ask)
  const { name } = way
  const tools = toolsOfRun(way)
  /** Sessions that this run began: another run's is none of its own, though both are asked for with one secret. */
  const sessions = new Set<string>()

  const passing = (ids: readonly Id[]): Passing => ({
    connector: name,
    mayShow: tools.mayShow,
    redact,
    ids,
    failed: (why) => book.failed(name, why),
  })

  function headersOf(answer: IncomingMessage): OutgoingHttpHeaders {
    const session = answer.headers['mcp-session-id']
    if (typeof session !== 'string' || redact(session) !== session) return {}
    if (sessions.size < mostSessions) sessions.add(session)
    return { 'mcp-session-id': session }
  }

  async function post(exchange: Exchange): Promise<void> {
    const { request, response } = exchange
    const body = await receive(request, { room, mostBytes, mostRoom })
    if ('status' in body) return refuse(response, body.status, body.message)
    try {
      const decision = decide(body.bytes, { ...way, mayCall: tools.mayCall, callsLeft: mostCalls - spent.calls })
      if ('refused' in decision) {
        for (const what of decision.refused) book.refused(name, what)
        return answerFor(response, decision.answer)
      }
      for (const tool of decision.calls) book.called(name, tool)
      spent.calls += decision.calls.length
      const { forward: text, ids } = decision
      await forward(exchange, { text, ids }).catch((error: unknown) => leaveUnanswered(response, error, ids))
    } finally {
      body.release()
    }
  }

  async function forward({ request, response, signal }: Exchange, { text, ids }: Asked): Promise<void> {
    const headers = { ...onwardHeaders(request.headers), accept: accepted, 'content-type': 'application/json' }
    const answer = await server.ask({ method: 'POST', headers, body: text, signal })
    const own = headersOf(answer)
    const kind = kindOf(answer)
    if (kind === 'events') return passEvents(answer, { response, headers: own, signal }, passing(ids))
    if (kind === 'document' && ids.length > 0)
      return say(response, { status: 200, body: await passDocument(answer, passing(ids)), headers: own })
    answer.destroy()
    const { statusCode: status = 0 } = answer
    if (isGood(status) && ids.length === 0) return void response.writeHead(202, own).end()
    // The client begins another one.
    if (status === 404 && request.headers['mcp-session-id'] !== undefined)
      return refuse(response, 404, 'this session is over')
    throw new NoAnswer(`${name} answered ${status}`)
  }

  /** Whoever waits is told why, as the answer to what was asked: a client takes another status for the end of the session. */
  function leaveUnanswered(response: ServerResponse, error: unknown, ids: readonly Id[]): void {
    if (!(error instanceof NoAnswer)) throw error
    book.failed(name, error.message)
    if (ids.length === 0) return refuse(response, 502, error.message)
    const errors = ids.map((id) => errorTo(id, { code: rpcErrors.internal, message: error.message }))
    say(response, { status: 200, body: errors.length === 1 ? errors[0]! : errors })
  }

  /** What the server tells by itself; one that tells nothing answers 405, and so do we. */
  async function listen({ request, response, signal }: Exchange): Promise<void> {
    const headers = { ...onwardHeaders(request.headers), accept: 'text/event-stream' }
    const answer = await server.ask({ method: 'GET', headers, signal })
    if (kindOf(answer) === 'events')
      return passEvents(answer, { response, headers: headersOf(answer), signal }, passing([]))
    answer.destroy()
    response.writeHead(answer.statusCode === 404 ? 404 : 405, { allow: 'POST', 'content-length': 0 }).end()
  }

  async function end({ request, response, signal }: Exchange): Promise<void> {
    const answer = await server.ask({ method: 'DELETE', headers: onwardHeaders(request.headers), signal })
    answer.destroy()
    response.writeHead(isGood(answer.statusCode) ? 204 : 405, { 'content-length': 0 }).end()
  }

  const acts = new Map([
    ['POST', post],
    ['GET', listen],
    ['DELETE', end],
  ])
  return {
    /** Rejects when the agent has gone. */
    async answer(exchange: Exchange): Promise<void> {
      const { request, response } = exchange
      const act = acts.get(request.method ?? '')
      if (!act) return void response.writeHead(405, { allow: [...acts.keys()].join(', '), connection: 'close' }).end()
      const session = request.headers['mcp-session-id']
      if (session !== undefined && !sessions.has(String(session)))
        return refuse(response, 404, 'this run has no such session')
      await act(exchange).catch((error: unknown) => leaveUnanswered(response, error, []))
    },
  }
}

const isGood = (status = 0) => status >= 200 && status < 300

function kindOf({ statusCode, headers }: IncomingMessage): 'events' | 'document' | 'other' {
  const type = headers['content-type'] ?? ''
  const isPlain = (headers['content-encoding'] ?? 'identity') === 'identity'
  if (statusCode !== 200 || !isPlain) return 'other'
  if (/^text\/event-stream\b/i.test(type)) return 'events'
  return /^application\/json\b/i.test(type) ? 'document' : 'other'
}

/** A notification that is refused is taken all the same: its client would give the session up. */
function answerFor(response: ServerResponse, answer: RpcError | RpcError[] | undefined): void {
  if (answer === undefined) return void response.writeHead(202).end()
  const isUnread = !Array.isArray(answer) && answer.id === null
  say(response, { status: isUnread ? 400 : 200, body: answer })
}
