import { FenceLost, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'

export type Lease = { signal: AbortSignal; readonly lost: boolean; stop(): void }
type Renewed = { renew(): Promise<{ cancelRequested: boolean }> }
type Keeping = { leaseMs: number; stop: AbortSignal; log: Log }

/**
 * Renews the lease at a third of its length, one renewal after the other. The signal aborts when the worker is told to stop
 * (cancel, shutdown), when a person asked to cancel, and when another worker has taken the run over: then the work must not
 * go on. A ledger that is away ends nothing, however long: who cannot renew there, cannot be taken over there either.
 */
export function keepLease(held: Renewed, { leaseMs, stop, log }: Keeping): Lease {
  const own = new AbortController()
  const state = { lost: false }
  let timer = setTimeout(() => void renew(), leaseMs / 3)

  async function renew(): Promise<void> {
    try {
      const { cancelRequested } = await held.renew()
      if (cancelRequested) own.abort(new Error('cancelled'))
    } catch (error) {
      // The run has ended or was given back meanwhile, which is why it is not ours any more.
      if (ended.aborted) return
      state.lost = error instanceof FenceLost
      // Of a run that has just ended, too; who works on it says when it was taken over.
      if (state.lost) own.abort(error)
      else log.warn({ error: messageOf(error) }, 'the lease could not be renewed')
    }
    if (!ended.aborted && !state.lost) timer = setTimeout(() => void renew(), leaseMs / 3)
  }
  const ending = new AbortController()
  const ended = ending.signal
  return {
    signal: AbortSignal.any([own.signal, stop]),
    get lost() {
      return state.lost
    },
    stop() {
      ending.abort()
      clearTimeout(timer)
    },
  }
}
