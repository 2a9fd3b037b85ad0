import { behind, OvernightError, StepFailed, type Reason } from '../errors.ts'
import type { Ending } from '../ledger/held-run.ts'

export const infrastructureRetries = 2
/** Losses that end a run: the first try, two retries, and then it is enough. */
const lossesThatEnd = infrastructureRetries + 1

export type AfterFailure = { act: 'retry'; delayMs: number; error: string } | { act: 'end'; ending: Ending }

/** What to do when a step threw. `losses` counts earlier infrastructure failures and lost workers of this run. */
export function afterFailure(thrown: unknown, losses: number): AfterFailure {
  const error = behind(thrown)
  const reason = reasonOf(error)
  const message = error instanceof Error ? oneLine(error.message) : 'an unexpected error'
  const retryable = error instanceof OvernightError && error.retryable
  if (retryable && losses < infrastructureRetries) {
    return { act: 'retry', delayMs: 5000 * 4 ** losses, error: message }
  }
  const hint = error instanceof OvernightError && error.hint ? ` – ${error.hint}` : ''
  return { act: 'end', ending: { state: 'failed', reason, message: `${message}${hint}` } }
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
