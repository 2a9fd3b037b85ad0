/** One look at both clocks: the ledger's, and this process's own, which nobody can set (ms). */
export type Look = { ledger: number; own: number }
/** Since when (by the own clock) this process has looked without a break, and no clock was set. */
export type Steady = { since: number; last: Look }

/** Clocks that are kept in step by small corrections are not moved clocks. */
const driftMs = 5000
/** So many looks may be left out by a busy machine. */
const leftOut = 3

/**
 * After a sleep, a stop, or a clock that was set, everything is late at once, the scheduler, too: it gets its time before
 * anybody is called. The own clock stands still while a machine sleeps and the ledger's does not, so both are compared.
 */
export function steadyAfter(before: Steady | undefined, look: Look, everyMs: number): Steady {
  if (!before) return { since: look.own, last: look }
  const [ownMs, ledgerMs] = [look.own - before.last.own, look.ledger - before.last.ledger]
  const isBroken = ownMs > everyMs * (leftOut + 1) + driftMs || Math.abs(ledgerMs - ownMs) > driftMs
  return { since: isBroken ? look.own : before.since, last: look }
}
