import type { Run } from '../ledger/schema.ts'
import type { Inputs, Overlap } from '../routines/routine.ts'

/** What a run would do: two that agree in all of it are one. */
export type Work = Pick<Run, 'subject' | 'hash' | 'file' | 'inputs' | 'repositoryOverride'>
/** The runs of one concurrency key that have not ended, oldest first. */
export type Standing = {
  /** Handed to no worker yet. `isEarly`: it may not start before its time, which has not come. */
  waiting: readonly (Work & { id: string; isEarly: boolean })[]
  /** `alone`: somebody waits for exactly this one. */
  begun: readonly { id: string; subject: string; alone: boolean }[]
}
export type Wanted = Work & {
  mode: Overlap['mode']
  /** False for a retry: something old takes no newer one's place. */
  mayReplace: boolean
  /** Events in quick succession: it joins a run that is early. */
  isDebounced: boolean
}
export type OverlapDecision =
  | { act: 'skip' }
  /** The waiting run would do exactly this: it takes the occasion along. */
  | { act: 'coalesce'; into: string }
  /** `supersede` wait, and are skipped; with `keepsEvents` the new run gets theirs. `stop` have begun, and are cancelled. */
  | { act: 'accept'; supersede: string[]; stop: string[]; keepsEvents: boolean }

type Decide = (standing: Standing, wanted: Wanted) => OverlapDecision

/** A run of its own, behind those that stand. */
export const inLine: OverlapDecision = { act: 'accept', supersede: [], stop: [], keepsEvents: false }

const modes: Readonly<Record<Overlap['mode'], Decide>> = {
  queue_all: () => inLine,
  skip: ({ waiting, begun }) => (waiting.length + begun.length > 0 ? { act: 'skip' } : inLine),
  queue_one({ waiting }, wanted) {
    const same = waiting.find((run) => isSameWork(run, wanted))
    if (same) return { act: 'coalesce', into: same.id }
    return { act: 'accept', supersede: replaced(waiting, wanted), stop: [], keepsEvents: true }
  },
  cancel_running({ waiting, begun }, wanted) {
    const stop = replaced(
      begun.filter((run) => !run.alone),
      wanted,
    )
    return { act: 'accept', supersede: replaced(waiting, wanted), stop, keepsEvents: false }
  },
}

/** What becomes of an occasion while its key has runs that have not ended. */
export function decideOverlap(standing: Standing, wanted: Wanted): OverlapDecision {
  const open = standing.waiting.find((run) => wanted.isDebounced && run.isEarly && isSameWork(run, wanted))
  return open ? { act: 'coalesce', into: open.id } : modes[wanted.mode](standing, wanted)
}

/** Only what is about the same subject gives way: an event of one pull request never costs that of another. */
function replaced(runs: readonly { id: string; subject: string }[], { subject, mayReplace }: Wanted): string[] {
  return mayReplace ? runs.filter((run) => run.subject === subject).map((run) => run.id) : []
}

function isSameWork(a: Work, b: Work): boolean {
  const keys = ['subject', 'hash', 'file', 'repositoryOverride'] as const
  return keys.every((key) => a[key] === b[key]) && sameInputs(a.inputs, b.inputs)
}

export function sameInputs(a: Inputs, b: Inputs): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => Object.is(a[key], b[key]))
}
