import type { Cron, WallMs } from './cron.ts'
import { firstChange, offsetAt, type Zone } from '../../routines/zone.ts'

// No clock was ever set by more than 24 h (the date line moving), so what happens farther away cannot touch a wall time.
const reachMs = 26 * 3_600_000

/**
 * The first instant strictly after `after` at which the expression is due in the zone; undefined = never again.
 *
 * Fixed times: one in a gap is due at the first instant after the gap (several: once), one that is shown twice on its first pass.
 * Real time (a `*` in minute or hour): nothing extra in a gap, both passes of a repeated hour.
 */
export function nextFire(cron: Cron, zone: Zone, after: Date): Date | undefined {
  return nextIn(cron.zone ?? zone, cron, after)
}

function nextIn(zone: Zone, cron: Cron, after: Date): Date | undefined {
  let from = after.getTime()
  let offset = offsetAt(zone, from)
  /** Every wall time below this was shown already; a fixed time does not come again. */
  let reached = cron.realTime ? -Infinity : highestShown(zone, from)
  let low: WallMs = Math.max(from + offset + 1, reached)
  for (;;) {
    const wall = cron.match(low)
    if (wall === undefined) return undefined
    const at = wall - offset
    const near = Math.min(at, from + reachMs)
    const change = firstChange(zone, from, near)
    if (change === undefined && at === near) return new Date(at)
    if (change === undefined) {
      // Nothing matches before `wall`: go on from its eve, whatever the clocks did in between.
      from = Math.max(near, at - reachMs)
      offset = offsetAt(zone, from)
      low = wall
      continue
    }
    reached = Math.max(reached, change + offset)
    from = change
    offset = offsetAt(zone, change)
    const shown: WallMs = change + offset
    if (!cron.realTime && (cron.match(reached) ?? Infinity) < shown) return new Date(change)
    low = cron.realTime ? shown : Math.max(reached, shown)
  }
}

/** The end of the wall times that were shown before `at`, when a clock set back makes them come again; else -Infinity. */
function highestShown(zone: Zone, at: number): WallMs {
  let from = at - reachMs
  let highest = -Infinity
  for (;;) {
    const change = firstChange(zone, from, at)
    if (change === undefined) return highest
    highest = Math.max(highest, change + offsetAt(zone, from))
    from = change
  }
}

const dayMs = 86_400_000

/** Are the clocks set on the local day that contains `date`? (Then the day is shorter or longer than the others.) */
export function isTransitionDay(zone: Zone, date: Date): boolean {
  const localDay = (at: number) => Math.floor((at + offsetAt(zone, at)) / dayMs)
  const day = localDay(date.getTime())
  let from = date.getTime() - reachMs
  for (;;) {
    const change = firstChange(zone, from, date.getTime() + reachMs)
    if (change === undefined) return false
    if (localDay(change) === day) return true
    from = change
  }
}
