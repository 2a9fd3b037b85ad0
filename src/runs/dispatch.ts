import type { Ledger, Statements } from '../ledger/ledger.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { admit } from './admission.ts'

export type Dispatcher = {
  /** Looks for owed runs now; many calls while it looks are one more look. Never rejects. */
  wake(): Promise<void>
  /** Hands out nothing more from now on; resolves when a look that has begun is over. */
  stop(): Promise<void>
}

export type DispatchTools = {
  ledger: Ledger
  enqueue(runId: string, attempt: number): Promise<void>
  /** False while the queue is known to take nothing: what is handed out then would only wait for its second try. */
  mayEnqueue(): boolean
  /**
   * False just after the ledger was away: leases ran out that nobody could renew, and their owners are about to say that
   * they live. Such a run waits for that; the price is that one of a worker that died meanwhile waits, too.
   */
  mayTakeOver(): boolean
  /** Runs that may be at work at the same time, in all processes together. */
  slots(tx: Statements): Promise<number>
  /** A run that was handed to the queue and not claimed for this long is handed out again, as a new attempt. */
  unclaimedMs: number
  /** A foreground command works on its own run and leaves the others to the service. */
  only?: () => readonly string[]
  /** Runs that a worker of this process has in its hands. */
  atWork: () => readonly string[]
  log: Log
}

/**
 * Hands owed runs to the queue, within the limits. This is also the reconciler: what is owed is read from the ledger
 * alone, so an emptied queue, a lost job or a dead worker all look the same and heal the same way.
 */
export function createDispatcher(tools: DispatchTools): Dispatcher {
  const state = { looking: undefined as Promise<void> | undefined, again: false, stopped: false }

  async function look(): Promise<void> {
    if (!tools.mayEnqueue()) return
    const handed = await tools.ledger.transaction(async (tx) => {
      // The limits are of all processes together: who counts must not be counted past.
      await tx.oneAtATime('dispatch')
      const slots = await tools.slots(tx)
      const busy = await tx.owed.busy(tools.unclaimedMs)
      const owed = await tx.owed.candidates({
        unclaimedMs: tools.unclaimedMs,
        busyRoutines: busy.map((run) => run.routine),
        except: tools.atWork(),
        only: tools.only?.(),
        limit: slots,
      })
      const free = tools.mayTakeOver() ? owed : owed.filter((run) => run.leaseUntil === null)
      const ids = admit(free, busy, slots)
      return ids.length === 0 ? [] : tx.owed.markDispatched(ids)
    })
    for (const run of handed) await tools.enqueue(run.id, run.attempt)
  }
  async function lookUntilQuiet(): Promise<void> {
    do {
      state.again = false
      try {
        await look()
      } catch (error) {
        tools.log.error({ error: messageOf(error) }, 'the dispatcher could not look for owed runs')
      }
    } while (state.again && !state.stopped)
    state.looking = undefined
  }

  return {
    wake() {
      if (state.stopped) return Promise.resolve()
      if (state.looking) state.again = true
      state.looking ??= lookUntilQuiet()
      return state.looking
    },
    async stop() {
      state.stopped = true
      await state.looking
    },
  }
}
