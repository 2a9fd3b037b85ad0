import { setImmediate as macrotask } from 'node:timers/promises'
import type { Delivery } from '../ledger/schema.ts'
import type { Routine } from '../routines/routine.ts'
import type { OutsideEvent, Source, Verdict } from './source.ts'

export type Judged = { routine: Routine; verdict: Exclude<Verdict, { act: 'pass' }> }
/** What a delivery says and what the routines make of it; or why it can never be read. */
export type Judgement = { trigger: Source['trigger']; event: OutsideEvent; judged: Judged[] } | { refused: string }

/** Nothing of this is the ledger's: it may take as long as a forge takes, and is done before the transaction. */
export async function judge(
  delivery: Delivery,
  source: Source | undefined,
  routines: readonly Routine[],
): Promise<Judgement> {
  if (!source) return { refused: `nothing here reads deliveries of ${delivery.source}` }
  const event = source.read(delivery)
  if ('refused' in event) return event
  const judged: Judged[] = []
  for (const routine of routines.filter((one) => source.listens(one))) {
    const verdict = await source.decide(event, routine)
    if (verdict.act !== 'pass') judged.push({ routine, verdict })
    // A condition may cost some milliseconds, and others wait for this thread, too.
    await macrotask()
  }
  return { trigger: source.trigger, event, judged }
}
