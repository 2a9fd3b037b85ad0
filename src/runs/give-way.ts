import { reasons } from '../errors.ts'
import type { Statements } from '../ledger/ledger.ts'
import type { OverlapDecision } from './overlap.ts'

/** What the new run takes the place of ends, and says whose. */
export async function giveWay(
  tx: Statements,
  run: string,
  { supersede, stop, keepsEvents }: Extract<OverlapDecision, { act: 'accept' }>,
): Promise<void> {
  const why = { reason: 'superseded', message: `${reasons.superseded}: run ${run}` } as const
  for (const older of supersede) {
    if (keepsEvents) await tx.firings.handOnEvents(older, run)
    await endUnheld(tx, older, { state: 'skipped', ...why })
  }
  for (const older of stop) {
    await tx.runs.requestCancel(older, why)
    // One that a worker holds ends itself once it hears of it.
    await endUnheld(tx, older, { state: 'cancelled', ...why })
  }
}

type Ending = Parameters<Statements['runs']['endUnheld']>[1]

async function endUnheld(tx: Statements, run: string, ending: Ending): Promise<void> {
  if (await tx.runs.endUnheld(run, ending)) await tx.events.tell(run, 'state', { ...ending })
}
