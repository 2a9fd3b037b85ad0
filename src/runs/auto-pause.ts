import type { Reason } from '../errors.ts'
import { service } from '../ledger/pauses.ts'
import type { Statements } from '../ledger/ledger.ts'
import type { Run, RoutineVersion } from '../ledger/schema.ts'
import type { Log } from '../log.ts'
import type { Routine } from '../routines/routine.ts'

export type Past = Pick<Run, 'state' | 'reason'>

/** Not the routine's fault, and nothing that it could mend: the forge, the model, the machine, a pull request, its operator's keys. */
export const notItsFault = [
  'no_checkout',
  'no_pull_request',
  'fork',
  'pull_request_over',
  'no_sandbox',
  'no_agent',
  'forge_unavailable',
  'forge_denied',
  'model_sign_in',
  'model_unavailable',
  'disk_full',
  'lost_worker',
  'internal',
] as const satisfies readonly Reason[]
const outside: ReadonlySet<string> = new Set(notItsFault)

/** What an ending says of its routine. */
export function countsAs({ state, reason }: Past): 'failure' | 'success' | 'nothing' {
  if (state === 'published' || state === 'unchanged' || state === 'reported') return 'success'
  if (state !== 'failed' && state !== 'timed_out') return 'nothing'
  return reason !== null && outside.has(reason) ? 'nothing' : 'failure'
}

/** Newest first: is it `after` failures, one after the other, since the last success? 0 = never. */
export function failsTooOften(past: readonly Past[], after: number): boolean {
  if (after === 0) return false
  const telling = past.map(countsAs).filter((what) => what !== 'nothing')
  return telling.length >= after && telling.slice(0, after).every((what) => what === 'failure')
}

export type AfterEndingTools = {
  routineOf(version: RoutineVersion): Routine
  /** Where alerts are sent. */
  alertUrls: readonly string[]
  log: Log
}

/** In the transaction that ends a run: a routine that fails again and again is paused, and somebody is told. */
export function createAutoPause({ routineOf, alertUrls, log }: AfterEndingTools) {
  return async (tx: Statements, run: Run): Promise<void> => {
    if (countsAs(run) !== 'failure' || run.alone) return
    const row = await tx.routines.find(run.routine)
    // What an older text did says nothing of the one in force.
    if (!row || row.hash !== run.hash || row.pausedAt !== null) return
    const after = await pauseAfter(tx, run)
    const of = { routine: run.routine, hash: run.hash, since: row.resumedAt, besides: notItsFault, limit: after }
    if (after === 0 || !failsTooOften(await tx.earlier.endings(of), after)) return
    const reason = after === 1 ? 'it failed' : `it failed ${after} times one after the other`
    if (!(await tx.pauses.pause(run.routine, { by: service, reason }))) return
    const message = `${run.routine} was paused: ${reason}, the last time in run ${run.id}`
    const data = { reason, run: run.id }
    await tx.events.auditWith({ actor: service, action: 'pause', subject: run.routine, data })
    await tx.alerts.raise(
      { kind: 'routine_paused', key: `paused:${run.routine}`, routine: run.routine, message },
      alertUrls,
    )
    log.warn({ routine: run.routine, run: run.id }, message)
  }

  /** A text that cannot be read any more ends no run but by saying so, which is no reason to go on. */
  async function pauseAfter(tx: Statements, run: Run): Promise<number> {
    const version = await tx.routines.readVersion(run.routine, run.hash)
    try {
      return version ? routineOf({ ...version, file: run.file }).pauseAfter : 0
    } catch {
      return 0
    }
  }
}
