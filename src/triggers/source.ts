import type { Delivery } from '../ledger/schema.ts'
import type { Routine } from '../routines/routine.ts'

/** What a delivery says, once it was read. */
export type OutsideEvent = Pick<Delivery, 'source' | 'event' | 'action' | 'repository' | 'sender' | 'subject'> & {
  delivery: string
  payload: Record<string, unknown>
}

/** What one routine makes of an event. `refuse` says, to whoever looks later, why somebody or something may not cause a run. */
export type Verdict =
  | { act: 'pass' }
  /** It cannot be said yet, and is being found out. */
  | { act: 'unknown'; why: string }
  | { act: 'refuse'; reason: string }
  | {
      act: 'fire'
      /** Only those that the event brings. */
      inputs: Record<string, unknown>
      /** What the run is about, and so which branch it works on; undefined = the routine's topic. */
      subject?: string
      /** What else the routine's event holds, beside the body. */
      payload?: Record<string, unknown>
      /** Runs of ours between this event and a cause outside. */
      depth?: number
    }

/**
 * A kind of place that deliveries come from. Nothing here writes. `read` is pure. `decide` may ask the outside (who may do this,
 * which files changed) and is never called inside a transaction; what it throws postpones the delivery.
 */
export type Source = {
  trigger: 'github' | 'webhook'
  /** Has the routine a trigger of this kind at all? */
  listens(routine: Routine): boolean
  /** `refused`: it can never be read; the sentence says why. */
  read(delivery: Delivery): OutsideEvent | { refused: string }
  decide(event: OutsideEvent, routine: Routine): Verdict | Promise<Verdict>
  /** Of an event that no routine made anything of: why these, which listen, did not; null: that cannot be told. Asks nobody. */
  whyNobody?(event: OutsideEvent, routines: readonly Routine[]): string | null
}
