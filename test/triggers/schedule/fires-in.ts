import type { Cron } from '../../../src/triggers/schedule/cron.ts'
import { nextFire } from '../../../src/triggers/schedule/next-fire.ts'

/** Every fire in [from, to), as ISO instants, asked one after another as the scheduler does. */
export function firesIn(cron: Cron, zone: string, ...[from, to]: [Date, Date]): string[] {
  const fires: string[] = []
  let at = nextFire(cron, zone, new Date(from.getTime() - 1))
  while (at && at < to) {
    fires.push(at.toISOString())
    at = nextFire(cron, zone, at)
  }
  return fires
}
