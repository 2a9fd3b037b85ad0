import { behind, OvernightError, StepFailed, type Reason } from '../errors.ts'
import type { Ending } from '../ledger/held-run.ts'
import type { Run } from '../ledger/schema.ts'

export const infrastructureRetries = 2
/** Losses that end a run: the first try, two retries, and then it is enough. */
const lossesThatEnd = infrastructureRetries + 1

/** Something outside that does not answer is asked so often, which takes about six hours; then a person decides. */
const waitsThatEnd = 42
/** A time that is named further off than this is not waited for. */
const furthestMs = 6 * 3_600_000
const outside: ReadonlySet<string> = new Set(['forge_unavailable', 'ledger_unreachable'])
const firstWaitMs = 5000
const longestWaitMs = 10 * 60_000

export type AfterFailure = { act: 'retry' | 'wait'; delayMs: number; error: string } | { act: 'end'; ending: Ending }
type Failed = Pick<Run, 'losses' | 'waits'>

/**
 * What to do when a step threw. A forge or a ledger that is down, or says when to come back, is waited for and costs the run nothing; other
 * infrastructure failures are tried again as often as `losses` (with lost workers) allows.
 */
export function afterFailure(thrown: unknown, run: Failed): AfterFailure {
  const error = behind(thrown)
  const message = error instanceof Error ? oneLine(error.message) : 'an unexpected error'
  if (error instanceof OvernightError && givesWay(error)) {
    const delayMs = error.retryAfterMs ?? Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(run.waits, 20))
    if (run.waits < waitsThatEnd && delayMs <= furthestMs)
      return { act: 'wait', delayMs, error: `${message}; tried again in ${spoken(delayMs)}` }
  } else if (error instanceof OvernightError && error.retryable && run.losses < infrastructureRetries) {
    const delayMs = 5000 * 4 ** run.losses
    return { act: 'retry', delayMs, error: `${message}; tried again in ${spoken(delayMs)}` }
  }
  return { act: 'end', ending: endingOf(error, message) }
}

function endingOf(error: unknown, message: string): Ending {
  const hint = error instanceof OvernightError && error.hint ? ` – ${error.hint}` : ''
  const reason = reasonOf(error)
  return { state: reason === 'superseded' ? 'skipped' : 'failed', reason, message: `${message}${hint}` }
}

function givesWay({ code, retryable, retryAfterMs }: OvernightError): boolean {
  return retryable && (retryAfterMs !== undefined || outside.has(code))
}

function spoken(delayMs: number): string {
  const seconds = Math.ceil(delayMs / 1000)
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
}

export function lostTooOften(losses: number): Ending | undefined {
  if (losses < lossesThatEnd) return undefined
  return {
    state: 'failed',
    reason: 'lost_worker',
    message: `the worker was lost ${losses} times`,
  }
}

function reasonOf(error: unknown): Reason {
  if (error instanceof StepFailed) return error.reason
  return diskFull(error) ? 'disk_full' : 'internal'
}

function diskFull(error: unknown): boolean {
  return (
    error instanceof Error &&
    (('code' in error && error.code === 'ENOSPC') || /no space left on device/i.test(error.message))
  )
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 500)
}
