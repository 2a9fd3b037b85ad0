import { createWatch } from '../triggers/watch/watch.ts'
import { aliveMs } from './hands.ts'
import type { Ground } from './ground.ts'

/** Often enough that a silence is told of within a quarter more than the bound, and within 90 s by default. */
const calmMs = 15_000

/** The dead-man's watch of this process, and its tick. Servers and workers have one each, so that no one of them watches itself alone. */
export function openWatch({ config, ledger, routineOf, log }: Ground) {
  const { slotMs, startMs, urls } = config.alerts
  const isCalm = slotMs >= 4 * calmMs
  const everyMs = isCalm ? calmMs : 1000
  const watch = createWatch({ ledger, routineOf, bounds: { slotMs, startMs, everyMs, aliveMs }, urls, log })
  const tick = { every: isCalm ? '*/15 * * * * *' : '* * * * * *', name: 'watch', act: () => watch.look() }
  return { faults: () => watch.faults(), tick }
}
