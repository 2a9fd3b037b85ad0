import { FenceLost, messageOf } from '../errors.ts'
import type { HeldRun } from '../ledger/held-run.ts'
import type { Log } from '../log.ts'

export type Lease = { signal: AbortSignal; readonly lost: boolean; stop(): void }
type Keeping = { leaseMs: number; stop: AbortSignal; log: Log }

/**
 * Renews the lease at a third of its length, one renewal after the other. The signal aborts when the worker is told to stop
 * (cancel, shutdown), when a person asked to cancel, and when the lease could not be kept: then the work must not go on.
 */
export function keepLease(held: HeldRun, { leaseMs, stop, log }: Keeping): Lease {
  const own = new AbortController()
  const state = { lost: false, renewedAt: performance.now() }
  let timer = setTimeout(() => void renew(), leaseMs / 3)

  async function renew(): Promise<void> {
    try {
      const { cancelRequested } = await held.renew()
      state.renewedAt = performance.now()
      if (cancelRequested) own.abort(new Error('cancelled'))
    } catch (error) {
      state.lost = error instanceof FenceLost || performance.now() - state.renewedAt > leaseMs
      log.warn({ error: messageOf(error) }, 'the lease could not be renewed')
      if (state.lost) own.abort(error)
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
