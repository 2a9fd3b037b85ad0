import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { FenceLost, logged, messageOf } from '../errors.ts'
import type { Ending, HeldRun } from '../ledger/held-run.ts'
import type { AtTheEnd, Ledger } from '../ledger/ledger.ts'
import type { Run, RoutineVersion } from '../ledger/schema.ts'
import type { Log } from '../log.ts'
import type { Routine } from '../routines/routine.ts'
import { cancelled } from './endings.ts'
import { afterFailure, lostTooOften } from './failure.ts'
import { keepLease, type Lease } from './lease.ts'
import { perform } from './perform.ts'
import { redactRun } from './redacted-run.ts'
import type { PerformTools } from './task.ts'

export type WorkerTools = PerformTools & {
  ledger: Ledger
  /** The routine as it was when the run was accepted. Throws when its text cannot be read any more. */
  routineOf(version: RoutineVersion): Routine
  /** Ends what a lost attempt of this run may have left running on this machine. */
  killLeftovers(run: string): Promise<void>
  /** What follows from an ending, whatever it is. */
  atTheEnd: AtTheEnd
  /** Names this process in the ledger. */
  worker: string
  leaseMs: number
  log: Log
}

/** Takes deliveries of the queue: claims the run, performs it under its lease, and writes how it ended. Rejects only when the claim does. */
export function createWorker(tools: WorkerTools) {
  const hands = new Set<string>()

  async function claimAndWork(job: Job, stop: AbortSignal): Promise<void> {
    const run = await tools.ledger.transaction((tx) => tx.owed.claim(job, tools.worker, tools.leaseMs))
    if (!run) return
    const log = tools.log.child({ run: run.id, routine: run.routine, attempt: run.attempt })
    const ours = tools.ledger.hold(run, { leaseMs: tools.leaseMs, stop, atTheEnd: tools.atTheEnd })
    const held = redactRun(ours, tools.redaction)
    const lease = keepLease(held, { leaseMs: tools.leaseMs, stop, log })
    try {
      await tools.reached('claimed', run.id)
      if (run.fence > 1) await clearAttempts(tools, run)
      const ending = endingBefore(run) ?? (await performFrom(tools, { run, held, signal: lease.signal }))
      await held.end(ending)
      log.info({ state: ending.state, reason: ending.reason }, 'run ended')
      await removeWork(tools, run.id)
    } catch (error) {
      await settle({ tools, run, held, lease, log }, error)
    } finally {
      lease.stop()
    }
  }

  return {
    /** Ids of the runs this process has in its hands now. */
    atWork: () => [...hands],
    async work(job: Job, stop: AbortSignal): Promise<void> {
      if (hands.has(job.runId)) return
      hands.add(job.runId)
      try {
        await claimAndWork(job, stop)
      } finally {
        hands.delete(job.runId)
      }
    },
  }
}
type Job = { runId: string; attempt: number }

/** What is decided before anything is done: a person cancelled it while it had no worker, or it lost too many. */
function endingBefore(run: Run): Ending | undefined {
  if (run.cancelRequestedAt) return cancelled(run)
  return lostTooOften(run.losses)
}

async function performFrom(
  tools: WorkerTools,
  held: { run: Run; held: HeldRun; signal: AbortSignal },
): Promise<Ending> {
  const version = await tools.ledger.routines.readVersion(held.run.routine, held.run.hash)
  if (!version) throw new Error(`the text of routine ${held.run.routine} at ${held.run.hash} is not in the ledger`)
  const { run } = held
  const folderOf = (fence: number) => join(tools.workDir, run.id, String(fence))
  return perform({
    ...held,
    routine: tools.routineOf({ ...version, file: run.file }),
    tools,
    folder: folderOf(run.fence),
    endedIn: run.exit?.fence === undefined ? null : folderOf(run.exit.fence),
  })
}

/** What earlier attempts left: their processes, and their folders but the one in which the agent ended. */
async function clearAttempts(tools: WorkerTools, run: Run): Promise<void> {
  await tools.killLeftovers(run.id)
  const folder = join(tools.workDir, run.id)
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((name) => name !== String(run.exit?.fence)))
    await removeWork(tools, join(run.id, name))
}

type Settling = { tools: WorkerTools; run: Run; held: HeldRun; lease: Lease; log: Log }

/** The pipeline threw: cancelled, shut down, out-fenced, or a failure that is retried or ends the run. */
async function settle({ tools, run, held, lease, log }: Settling, error: unknown): Promise<void> {
  try {
    if (error instanceof FenceLost || lease.lost) throw error
    const { cancelRequested, ...why } = await held.renew()
    if (cancelRequested) {
      await held.end(cancelled(why))
    } else if (lease.signal.aborted) {
      await held.release({ outcome: 'released', error: null, delayMs: 0 })
      return
    } else {
      const next = afterFailure(error, run)
      log.warn({ ...logged(error), next: next.act }, 'a step failed')
      if (next.act !== 'end') {
        await held.release({ outcome: next.act, error: next.error, delayMs: next.delayMs })
        return
      }
      await held.end(next.ending)
    }
    await removeWork(tools, run.id)
  } catch (failure) {
    if (failure instanceof FenceLost || lease.lost) log.warn('another worker took the run over; this one stops')
    // The ledger cannot be written: the lease runs out and another worker, or the next start, takes the run over.
    else log.error({ error: messageOf(failure) }, 'the end of a run could not be recorded')
  }
}

/** Nothing of an ended run stays on disk but its transcript; a resting one needs only what the ledger holds. */
async function removeWork(tools: WorkerTools, name: string): Promise<void> {
  const folder = join(tools.workDir, name)
  await tools.checkouts.removeFolder(folder).catch((error: unknown) => {
    tools.log.warn({ folder, error: messageOf(error) }, 'the work folder cannot be removed; the next start tries again')
  })
}
