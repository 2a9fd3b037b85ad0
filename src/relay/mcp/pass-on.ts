import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { EventTooLong, readEvents, writeEvent } from './events.ts'
import { filterAnswer } from './filter.ts'
import { errorTo, rpcErrors, type Id } from './rpc.ts'
import { NoAnswer } from './server-side.ts'

export type Passing = {
  connector: string
  mayShow(listed: unknown): boolean
  redact(text: string): string
  /** Requests that wait for an answer. */
  ids: readonly Id[]
  /** For people. */
  failed(why: string): void
}

/** `signal`: the agent or its run has gone. */
type Outlet = { response: ServerResponse; headers: OutgoingHttpHeaders; signal: AbortSignal }

/** Of one message: what agents read is far shorter, and a picture is not. */
const mostMessage = 8 * 1024 ** 2
/** Of one answer, all its events together. */
const mostBytes = 64 * 1024 ** 2

/** One document, whole. Throws NoAnswer. */
export async function passDocument(answer: IncomingMessage, passing: Passing): Promise<string> {
  const { connector } = passing
  const chunks: Buffer[] = []
  try {
    for await (const chunk of capped(answer, { connector, most: mostMessage })) chunks.push(chunk)
  } catch (error) {
    throw error instanceof NoAnswer ? error : new NoAnswer(brokenOff(error, connector))
  }
  const found = filtered(Buffer.concat(chunks).toString('utf8'), passing)
  if (found) return found.text
  throw new NoAnswer(`${connector} answered with nothing that is for an agent`)
}

/** Events as they come; whoever still waits at their end is told why. Rejects only when the agent has gone. */
export async function passEvents(
  answer: IncomingMessage,
  { response, headers, signal }: Outlet,
  passing: Passing,
): Promise<void> {
  const waiting = new Map(passing.ids.map((id) => [keyOf(id), id]))
  response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  // A client waits for the head of a stream that may be silent for long.
  response.flushHeaders()
  async function* events(): AsyncGenerator<string> {
    try {
      for await (const event of readEvents(
        capped(answer, { connector: passing.connector, most: mostBytes }),
        mostMessage,
      )) {
        const clean = event === 'alive' ? { event, answered: [] } : cleanEvent(event, passing)
        if (!clean) continue
        for (const id of clean.answered) waiting.delete(keyOf(id))
        yield writeEvent(clean.event)
      }
      if (waiting.size > 0) throw new NoAnswer(`${passing.connector} ended before it had answered`)
    } catch (error) {
      if (response.destroyed || signal.aborted) return
      const message = error instanceof NoAnswer ? error.message : brokenOff(error, passing.connector)
      passing.failed(message)
      for (const id of waiting.values())
        yield `data: ${JSON.stringify(errorTo(id, { code: rpcErrors.internal, message }))}\n\n`
    } finally {
      answer.destroy()
    }
  }
  await pipeline(events(), response)
}

type Event = Exclude<Parameters<typeof writeEvent>[0], 'alive'>

function cleanEvent(event: Event, passing: Passing): { event: Event; answered: unknown[] } | undefined {
  const id = event.id !== undefined && passing.redact(event.id) === event.id ? event.id : undefined
  // Without data it says where a client may go on from.
  if (event.data === '') return { event: { ...event, id }, answered: [] }
  if (event.event !== '' && event.event !== 'message') return undefined
  const found = filtered(event.data, passing)
  return found && { event: { ...event, id, data: found.text }, answered: found.answered }
}

function filtered(text: string, passing: Passing) {
  try {
    return filterAnswer(text, passing)
  } catch (error) {
    if (error instanceof SyntaxError) throw new NoAnswer(`${passing.connector} answered with no JSON`)
    throw error
  }
}

async function* capped(
  chunks: AsyncIterable<Buffer>,
  { connector, most }: { connector: string; most: number },
): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > most) throw new NoAnswer(`${connector} answered with more than ${most / 1024 ** 2} MB`)
    yield chunk
  }
}

function brokenOff(error: unknown, connector: string): string {
  return error instanceof EventTooLong
    ? `${connector} answered with more than ${mostMessage / 1024 ** 2} MB at once`
    : `${connector} broke off`
}

const keyOf = (id: unknown) => JSON.stringify(id)
