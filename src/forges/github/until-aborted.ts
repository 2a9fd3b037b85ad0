import { once } from 'node:events'

/**
 * A limit is waited out inside the client, which knows no signal: who is stopped does not wait with it. What is left behind ends at
 * its next request.
 */
export async function untilAborted<T>(act: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return act
  // Once nobody waits for it, nobody hears how it ends.
  act.catch(() => {})
  signal.throwIfAborted()
  const settled = new AbortController()
  const aborted = once(signal, 'abort', { signal: settled.signal }).then(() => Promise.reject(signal.reason as Error))
  aborted.catch(() => {})
  try {
    return await Promise.race([act, aborted])
  } finally {
    settled.abort()
  }
}
