import type { IncomingMessage } from 'node:http'
import type { Refusal } from './refusal.ts'

/** Bytes of requests that one run has in memory now. */
export type BodyRoom = { bytes: number }
type Bounds = { room: BodyRoom; mostBytes: number; mostRoom: number }

/** A request's body whole, or why it is not read. Whoever has it gives its room back. */
export async function receive(
  request: IncomingMessage,
  { room, mostBytes, mostRoom }: Bounds,
): Promise<{ bytes: Buffer; release(): void } | Refusal> {
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
      if (held > mostBytes)
        return (release(), { status: 413, message: `a request may have ${mostBytes / 1024 ** 2} MB` })
      if (room.bytes > mostRoom) return (release(), { status: 429, message: 'too many large requests at once' })
      chunks.push(chunk)
    }
  } catch {
    return (release(), { status: 400, message: 'the request broke off' })
  }
  return { bytes: Buffer.concat(chunks), release }
}
