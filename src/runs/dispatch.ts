import type { Ledger, Statements } from '../ledger/ledger.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { OuterLimits } from '../ledger/startable.ts'
import { createInTurn } from '../routines/library/in-turn.ts'
import { admit, type Limits } from './admission.ts'

/** So many owed runs are looked at in one round. */
const batch = 100

type Handed = { id: string; attempt: number }
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
  limits: OuterLimits
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
  const state = { stopped: false }

  async function look(): Promise<void> {
    if (!tools.mayEnqueue() || !(await tools.ledger.owed.isAny())) return
    const handed = await tools.ledger.transaction(async (tx) => {
      // The limits are of all processes together: who counts must not be counted past.
      await tx.oneAtATime('dispatch')
      return handOut(tx, { ...tools.limits, slots: await tools.slots(tx) })
    })
    for (const run of handed) await tools.enqueue(run.id, run.attempt)
  }
  /** Each candidate alone could start; those that cannot start together are found by the next round, behind others that can. */
  async function handOut(tx: Statements, limits: Limits): Promise<Handed[]> {
    const { unclaimedMs } = tools
    const handed: Handed[] = []
    for (;;) {
      const holders = await tx.owed.holders(unclaimedMs)
      if (holders.filter((run) => run.atWork).length >= limits.slots) return handed
      const candidates = await tx.owed.candidates({
        unclaimedMs,
        except: tools.atWork(),
        only: tools.only?.(),
        mayTakeOver: tools.mayTakeOver(),
        limits,
        limit: batch,
      })
      const ids = admit(candidates, holders, limits)
      if (ids.length > 0) handed.push(...(await tx.owed.markDispatched(ids)))
      if (ids.length === 0 || candidates.length < batch) return handed
    }
  }
  const looks = createInTurn(async () => {
    // One that waited for its turn while it was stopped hands out nothing.
    if (state.stopped) return
    try {
      await look()
    } catch (error) {
      tools.log.error({ error: messageOf(error) }, 'the dispatcher could not look for owed runs')
    }
  })
  return {
    wake: () => (state.stopped ? Promise.resolve() : looks.run()),
    async stop() {
      state.stopped = true
      await looks.idle()
    },
  }
}
