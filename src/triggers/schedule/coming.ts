import type { Routine } from '../../routines/routine.ts'
import { upcoming } from './upcoming.ts'

export type ComingFire = {
  routine: string
  /** ISO, UTC. */
  at: string
  /** `2026-11-20 02:00 +01:00` */
  local: string
  zone: string
  /** The clocks change on that local day. */
  transitionDay: boolean
}
export type Look = { from: Date; days: number; limit: number }

/** No more of them than `limit`, and whether there are others in that time. */
export function firstComing(
  routines: readonly Pick<Routine, 'name' | 'schedules'>[],
  look: Look,
): { fires: ComingFire[]; more: boolean } {
  const fires = comingFires(routines, { ...look, limit: look.limit + 1 })
  return { fires: fires.slice(0, look.limit), more: fires.length > look.limit }
}

/** The next fires of these routines, soonest first, as people and programs are told of them. */
export function comingFires(
  routines: readonly Pick<Routine, 'name' | 'schedules'>[],
  { from, days, limit }: Look,
): ComingFire[] {
  const schedules = routines.flatMap(({ name, schedules }) =>
    schedules.map((schedule) => ({ ...schedule, routine: name })),
  )
  return upcoming(schedules, from, days)
    .take(limit)
    .map(({ schedule, at, local, transitionDay }) => ({
      routine: schedule.routine,
      at: at.toISOString(),
      local,
      zone: schedule.timezone,
      transitionDay,
    }))
    .toArray()
}
