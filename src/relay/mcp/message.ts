import { isRecord } from '../usage.ts'
import type { Id } from './rpc.ts'

/** A message of JSON-RPC 2.0: a request, a notification (no id), or the answer to a request of the other side. */
export type Message =
  | { kind: 'asks'; id: Id; method: string; params: Record<string, unknown> }
  | { kind: 'tells'; id: undefined; method: string; params: Record<string, unknown> }
  | { kind: 'answers'; id: Id }

/** undefined: it is none, or one that could be read in two ways. */
export function readMessage(part: unknown): Message | undefined {
  if (!isRecord(part) || own(part, 'jsonrpc') !== '2.0' || Object.hasOwn(part, 'error')) return undefined
  const id = own(part, 'id')
  if (id !== undefined && !isId(id)) return undefined
  return Object.hasOwn(part, 'method') ? readCall(part, id) : readAnswer(part, id)
}

function readCall(part: Record<string, unknown>, id: Id | undefined): Message | undefined {
  const [method, params] = [own(part, 'method'), own(part, 'params') ?? {}]
  if (Object.hasOwn(part, 'result') || typeof method !== 'string' || !isRecord(params)) return undefined
  return id === undefined ? { kind: 'tells', id, method, params } : { kind: 'asks', id, method, params }
}

function readAnswer(part: Record<string, unknown>, id: Id | undefined): Message | undefined {
  return Object.hasOwn(part, 'result') && id !== undefined ? { kind: 'answers', id } : undefined
}

/** Its own properties alone: what every object has was written by nobody. */
export function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

const longestId = 1000

function isId(id: unknown): id is Id {
  return typeof id === 'string' ? id.length <= longestId : typeof id === 'number' || JSON.isRawJSON(id)
}
