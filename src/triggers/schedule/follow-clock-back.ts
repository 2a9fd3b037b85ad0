import { setImmediate as turn } from 'node:timers/promises'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Due, Standing } from '../../ledger/schedules.ts'
import { cronOf } from './cron.ts'
import { nextFire } from './next-fire.ts'

const betweenTurns = 100

/**
 * A look under a clock that ran ahead says of every slot until then what became of it, and goes on from there. Once the clock is
 * right these are still to come: what was not fired is taken back, and its schedules are due by their text again. Safe to do at
 * any time, by any number of processes: where no clock ran ahead it changes nothing, and what was fired keeps its row.
 */
export async function followClockBack(ledger: Ledger): Promise<{ schedules: number; slots: number }> {
  const { now, standing } = await ledger.routines.ahead()
  const wanted: Due[] = []
  for (const [index, one] of standing.entries()) {
    if (index % betweenTurns === betweenTurns - 1) await turn()
    wanted.push(...passedOver(one, now))
  }
  return ledger.transaction(async (tx) => {
    // In the order in which a look locks them.
    const schedules = await tx.routines.pullBack(wanted)
    const slots = await tx.slots.takeBack()
    await tx.owed.acceptedByNow()
    if (schedules + slots > 0) await tx.slots.writtenByNow()
    return { schedules, slots }
  })
}

/** A schedule goes on from an instant that has come, so it stands at its next one from now at the latest. */
export function passedOver({ cron, timezone, last }: Standing, now: Date): Due[] {
  const next = understood({ cron, timezone }, now)
  return next && (last === null || next < last) ? [{ cron, timezone, next }] : []
}

/** One that this version does not understand is told of where it is due. */
function understood({ cron, timezone }: Omit<Standing, 'last'>, now: Date): Date | undefined {
  try {
    return nextFire(cronOf(cron), timezone, now)
  } catch {
    return undefined
  }
}
