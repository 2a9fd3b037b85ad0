import type { RunState } from '../ledger/schema.ts'

const endings = ['published', 'unchanged', 'reported', 'failed', 'cancelled', 'timed_out', 'skipped'] as const
const goodEndings = ['published', 'unchanged', 'reported'] as const
export type Ended = (typeof endings)[number]

export function isEnded(state: RunState): state is Ended {
  return (endings as readonly string[]).includes(state)
}
export function isGood(state: RunState): boolean {
  return (goodEndings as readonly string[]).includes(state)
}
