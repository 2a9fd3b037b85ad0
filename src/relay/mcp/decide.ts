import { isTooIntricate } from '../intricacy.ts'
import { isRecord } from '../usage.ts'
import { parseExactly } from './exact-json.ts'
import { own, readMessage, type Message } from './message.ts'
import { errorTo, rpcErrors, type Id, type RpcError } from './rpc.ts'

/** What becomes of a body that an agent sends to a connector. */
export type Decision =
  | {
      /** What goes on, written anew: the server reads what was read here. */
      forward: string
      /** Tools that it calls, and the requests that are to be answered. */
      calls: string[]
      ids: Id[]
    }
  | {
      /** What is said in place of the server; undefined: nobody waits for an answer. */
      answer: RpcError | RpcError[] | undefined
      /** For people: methods and tools as they were asked for. */
      refused: string[]
    }

type Asked = { name: string; mayCall(tool: string): boolean; callsLeft: number }
type Refusal = RpcError['error'] & { what: string }

/**
 * The methods that lead on, each with the parameters that do (modelcontextprotocol.io/specification). Others are left out, so that a
 * server that takes `Name` for `name` finds none; prompts and resources are no tools that anybody listed.
 */
const methods: ReadonlyMap<string, readonly string[]> = new Map([
  ['initialize', ['protocolVersion', 'clientInfo', '_meta']],
  ['ping', ['_meta']],
  ['tools/list', ['cursor', '_meta']],
  ['tools/call', ['name', 'arguments', '_meta']],
  ['notifications/initialized', ['_meta']],
  ['notifications/cancelled', ['requestId', 'reason', '_meta']],
])
const mostInBatch = 50

/** Decided by what was parsed, all or nothing: of a batch with one part that is refused nothing goes on. */
export function decide(body: Buffer, asked: Asked): Decision {
  const parsed = isTooIntricate(body) ? undefined : parse(body)
  if (parsed === undefined) return wrong(rpcErrors.parse, 'the request is no JSON, or has too many parts')
  const isBatch = Array.isArray(parsed.value)
  const parts: unknown[] = Array.isArray(parsed.value) ? parsed.value : [parsed.value]
  if (parts.length === 0 || parts.length > mostInBatch)
    return wrong(rpcErrors.invalid, `a batch has 1 to ${mostInBatch} messages`)
  const read = parts.map((part) => {
    const message = readMessage(part)
    return { message, refusal: refusalOf(message, asked) }
  })
  if (read.some(({ refusal }) => refusal !== undefined)) return refuse(read, isBatch)
  const messages = read.flatMap(({ message }) => message ?? [])
  const calls = messages.flatMap((message) => calledBy(message) ?? [])
  if (calls.length > asked.callsLeft)
    return refuse(
      read.map(({ message }) => ({ message, refusal: spent })),
      isBatch,
    )
  const written = messages.map(write)
  return {
    forward: JSON.stringify(isBatch ? written : written[0]),
    calls,
    ids: messages.flatMap((message) => (message.kind === 'asks' ? [message.id] : [])),
  }
}

const spent: Refusal = {
  what: 'more calls',
  code: rpcErrors.params,
  message: 'the run has called its connectors as often as a run may',
}

function refusalOf(message: Message | undefined, { name, mayCall }: Asked): Refusal | undefined {
  if (!message)
    return { what: 'no request', code: rpcErrors.invalid, message: 'this is no request as JSON-RPC 2.0 has them' }
  if (message.kind === 'answers') return undefined
  const method = message.method.slice(0, 100)
  if (!methods.has(message.method))
    return {
      what: method,
      code: rpcErrors.noMethod,
      message: `${method} is not let through: connectors have tools alone`,
    }
  if (message.method !== 'tools/call') return undefined
  const tool = calledBy(message)
  const values = own(message.params, 'arguments') ?? {}
  if (tool === undefined || !isRecord(values) || JSON.isRawJSON(values))
    return { what: 'no call', code: rpcErrors.params, message: 'a call names a tool, and its arguments are an object' }
  if (mayCall(tool)) return undefined
  const what = tool.slice(0, 100)
  return {
    what,
    code: rpcErrors.params,
    message: `the tool ${what} of the connector ${name} is not allowed in this run`,
  }
}

function calledBy(message: Message): string | undefined {
  if (message.kind === 'answers' || message.method !== 'tools/call') return undefined
  const name = own(message.params, 'name')
  return typeof name === 'string' ? name : undefined
}

/** The only request of a server that an agent hears of is a ping, whose answer says nothing; and it offers a server nothing either. */
function write(message: Message): object {
  if (message.kind === 'answers') return { jsonrpc: '2.0', id: message.id, result: {} }
  const { id, method, params } = message
  const kept = (methods.get(method) ?? []).filter((key) => Object.hasOwn(params, key))
  const onward = Object.fromEntries(kept.map((key) => [key, params[key]]))
  const offered = method === 'initialize' ? { capabilities: {} } : {}
  return { jsonrpc: '2.0', ...(id === undefined ? {} : { id }), method, params: { ...onward, ...offered } }
}

type Read = { message: Message | undefined; refusal: Refusal | undefined }

function refuse(read: readonly Read[], isBatch: boolean): Decision {
  const beside = { code: rpcErrors.invalid, message: 'another part of this batch is refused' }
  const answers = read.flatMap(({ message, refusal = beside }) => {
    if (message && message.kind !== 'asks') return []
    return [errorTo(message?.id ?? null, refusal)]
  })
  const refused = read.flatMap(({ refusal }) => refusal?.what ?? [])
  return { answer: isBatch && answers.length > 0 ? answers : answers[0], refused }
}

function wrong(code: number, message: string): Decision {
  return { answer: errorTo(null, { code, message }), refused: ['no request'] }
}

function parse(body: Buffer): { value: unknown } | undefined {
  try {
    return { value: parseExactly(body.toString('utf8')) }
  } catch {
    return undefined
  }
}
