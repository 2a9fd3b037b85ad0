import type { Inputs } from '../routines/routine.ts'

/** A run that waits and that no worker has touched. */
export type WaitingRun = { id: string; hash: string; file: string; inputs: Inputs; repositoryOverride: string | null }
export type OverlapDecision =
  | { act: 'accept'; supersede: string[] }
  /** The waiting run would do exactly this: it takes the occasion along. */
  | { act: 'coalesce'; into: string }

/**
 * `overlap: queue_one`: beside the run at work at most one waits. An occasion that asks for the same joins the one that
 * waits; one that asks for something else takes its place, and the older one is skipped with that reason – unless it may
 * not: a retry of something old replaces nothing newer.
 */
export function decideOverlap(
  waiting: readonly WaitingRun[],
  wanted: Omit<WaitingRun, 'id'>,
  mayReplace: boolean,
): OverlapDecision {
  const same = waiting.find(
    (run) =>
      run.hash === wanted.hash &&
      run.file === wanted.file &&
      run.repositoryOverride === wanted.repositoryOverride &&
      sameInputs(run.inputs, wanted.inputs),
  )
  if (same) return { act: 'coalesce', into: same.id }
  return { act: 'accept', supersede: mayReplace ? waiting.map((run) => run.id) : [] }
}

export function sameInputs(a: Inputs, b: Inputs): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => Object.is(a[key], b[key]))
}
