import type { Context } from 'hono'
import { streamSSE, type SSEStreamingApi } from 'hono/streaming'
import { logged } from '../errors.ts'
import type { Log } from '../log.ts'

/**
 * Events until `tell` has told all, or the reader goes. What goes wrong meanwhile ends the stream with a line in the log:
 * the answer has begun, and readers come back by themselves.
 */
export function streamEvents(
  c: Context,
  log: Log,
  tell: (sse: SSEStreamingApi, signal: AbortSignal) => Promise<void>,
): Response {
  return streamSSE(c, async (sse) => {
    const gone = new AbortController()
    sse.onAbort(() => gone.abort())
    try {
      await tell(sse, gone.signal)
    } catch (error) {
      log.warn({ ...logged(error), path: c.req.path }, 'a stream of events ended early')
    }
  })
}
