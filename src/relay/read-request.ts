import type { IncomingMessage } from 'node:http'
import { isTooIntricate } from './intricacy.ts'
import { reachesOut } from './reach.ts'
import { receive, type BodyRoom } from './receive.ts'
import type { Refusal } from './refusal.ts'
import { isRecord } from './usage.ts'

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
  const received = await receive(request, { room, mostBytes, mostRoom })
  if ('status' in received) return received
  const checked = check(received.bytes)
  if ('status' in checked) return (received.release(), checked)
  return { text: checked.text, release: received.release }
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
