import type { IncomingMessage } from 'node:http'
import { isTooIntricate } from './intricacy.ts'
import { reachesOut } from './reach.ts'
import type { Refusal } from './refusal.ts'
import { isRecord } from './usage.ts'

/** Bytes of requests that one run has in memory now. */
export type BodyRoom = { bytes: number }

/** What the provider itself takes at most (docs.anthropic.com/en/api/overview#request-size-limits). */
const mostBytes = 32 * 1024 * 1024
/** Of all requests of one run together: some that are large, or many that are not. */
const mostRoom = 96 * 1024 * 1024

/**
 * The request as it goes on to the model, or why it does not. It is held in memory whole, because only then can be said what it
 * asks for, and it is written anew, so that the model reads what was read here (of a key that is there twice, the last).
 */
export async function readRequest(
  request: IncomingMessage,
  room: BodyRoom,
): Promise<{ text: Buffer; release(): void } | Refusal> {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') return { status: 415, message: `a request in ${encoding.slice(0, 40)} is not read` }
  let held = 0
  const release = () => {
    room.bytes -= held
    held = 0
  }
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      held += chunk.length
      room.bytes += chunk.length
      const refusal = tooMuch(held, room)
      if (refusal) return (release(), refusal)
      chunks.push(chunk)
    }
  } catch {
    return (release(), { status: 400, message: 'the request broke off' })
  }
  const checked = check(Buffer.concat(chunks))
  if ('status' in checked) return (release(), checked)
  return { text: checked.text, release }
}

function tooMuch(held: number, room: BodyRoom): Refusal | undefined {
  if (held > mostBytes) return { status: 413, message: 'a request may have 32 MB' }
  if (room.bytes > mostRoom) return { status: 429, message: 'too many large requests at once' }
  return undefined
}

const intricate: Refusal = { status: 400, message: 'the request is nested too deep, or has too many parts' }

/** Never throws: whatever an agent sends, its room is given back. */
function check(bytes: Buffer): { text: Buffer } | Refusal {
  if (isTooIntricate(bytes)) return intricate
  const body = parsed(bytes)
  if (!isRecord(body)) return { status: 400, message: 'the request is no JSON object' }
  try {
    const reach = reachesOut(body)
    if (reach !== undefined)
      return { status: 400, message: `${reach} would reach outside, and this run has no network` }
    return { text: Buffer.from(JSON.stringify(body)) }
  } catch {
    return intricate
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
