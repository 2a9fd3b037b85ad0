import { BadRequest } from '../errors.ts'
import { readInputs } from '../routines/inputs.ts'
import type { Routine } from '../routines/routine.ts'
import type { Fired, Occasion } from '../runs/occasion.ts'
import { comingFires } from './schedule/coming.ts'

/** `from` counts, `to` does not: two windows that meet hold every slot once. */
export type Window = { from: Date; to: Date }
export type BackfillSlot = { at: Date; local: string; zone: string }

/** One call fires so many; the rest is another one's, from where this one ended. */
export const mostSlots = 100

/** The slots of a past window, oldest first; `next`: where the window goes on when it holds more than one call fires. */
export function slotsWithin(
  routine: Pick<Routine, 'name' | 'schedules'>,
  { from, to }: Window,
): { slots: BackfillSlot[]; next: Date | undefined } {
  const look = { from: new Date(from.getTime() - 1), days: (to.getTime() - from.getTime()) / 86_400_000 }
  // Several schedules may meet on one instant, which is one slot.
  const fires = comingFires([routine], { ...look, limit: (mostSlots + 1) * Math.max(1, routine.schedules.length) })
  const inside = fires
    .map(({ at, local, zone }) => ({ at: new Date(at), local, zone }))
    .filter(({ at }, index) => at < to && fires[index - 1]?.at !== at.toISOString())
  return { slots: inside.slice(0, mostSlots), next: inside[mostSlots]?.at }
}

/** Refuses what is no past window of a schedule, before anything is shown or fired. */
export function checkWindow(routine: Routine, { from, to }: Window, now: Date): void {
  if (routine.schedules.length === 0)
    throw new BadRequest(
      `routine ${JSON.stringify(routine.name)} has no schedule, so no slots`,
      'fire it: overnight fire',
    )
  if (from >= to) throw new BadRequest('the window ends before it begins', 'from is earlier than to')
  if (to > now)
    throw new BadRequest(`the window ends in the future (it is ${now.toISOString()})`, 'the schedule fires what comes')
}

type Fire = (occasion: Occasion) => Promise<Fired>

/** Each slot is an occasion of its own, whatever became of it then: the same window twice fires once, also after a crash in its middle. */
export async function backfill(
  fire: Fire,
  { routine, slots, by }: { routine: Routine; slots: readonly BackfillSlot[]; by: string },
): Promise<(BackfillSlot & Fired)[]> {
  const read = readInputs(routine.inputs, {})
  if (!('inputs' in read)) throw new BadRequest(read.problems.join('; '), 'give the inputs defaults in the file')
  const fired: (BackfillSlot & Fired)[] = []
  for (const slot of slots) {
    const key = `backfill:${slot.at.toISOString()}`
    const occasion: Occasion = { routine, trigger: 'backfill', key, inputs: read.inputs, by, slotAt: slot.at }
    fired.push({ ...slot, ...(await fire(occasion)) })
  }
  return fired
}
