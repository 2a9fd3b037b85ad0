import { logged, messageOf } from '../errors.ts'
import type { Ledger, Statements } from '../ledger/ledger.ts'
import type { Run } from '../ledger/schema.ts'
import type { Log } from '../log.ts'
import { createInTurn } from '../routines/in-turn.ts'
import { readInputs } from '../routines/inputs.ts'
import type { Routine } from '../routines/routine.ts'
import { fire } from '../runs/fire.ts'

export type FollowTools = {
  ledger: Ledger
  /** The routines in force, as the ledger has them now. */
  routines(): Promise<readonly Routine[]>
  /** There is something to hand out. */
  wake(): void
  log: Log
}
export type Following = {
  /** Looks for runs that ended now; many calls while it looks are one more look. Never rejects. */
  wake(): Promise<void>
  /** Begins nothing more; resolves when what has begun is over. */
  stop(): Promise<void>
}

/**
 * Fires the routines that follow others. That a run's followers are owed is written with its end, and taken back in the
 * transaction that fires them: a kill in between loses none and doubles none. Every server process may do so at once.
 */
export function createFollowing({ ledger, routines, wake, log }: FollowTools): Following {
  const state = { stopped: false }

  async function look(): Promise<void> {
    if (state.stopped || !(await ledger.followers.isOwed())) return
    const inForce = await routines()
    // One that cannot be settled waits for the next look and holds up no other.
    const failed: string[] = []
    while (!state.stopped) {
      const tried = { run: undefined as string | undefined }
      try {
        const fired = await ledger.transaction(async (tx) => {
          const run = await tx.followers.nextOwed(failed)
          tried.run = run?.id
          return run && settleOne(tx, run, inForce)
        })
        if (fired === undefined) return
        if (fired > 0) wake()
      } catch (error) {
        if (tried.run === undefined) throw error
        failed.push(tried.run)
        log.error({ run: tried.run, ...logged(error) }, 'the routines that follow this run could not be fired')
      }
    }
  }
  const looks = createInTurn(() =>
    look().catch((error: unknown) =>
      log.error({ error: messageOf(error) }, 'the routines that follow others could not be fired'),
    ),
  )
  return {
    wake: () => (state.stopped ? Promise.resolve() : looks.run()),
    async stop() {
      state.stopped = true
      await looks.idle()
    },
  }
}

/** How many firings one ended run caused. */
async function settleOne(tx: Statements, run: Run, routines: readonly Routine[]): Promise<number> {
  const followers = routines.filter((routine) => follows(routine, run))
  for (const routine of followers) await fireAfter(tx, routine, run)
  await tx.followers.settle(run.id)
  return followers.length
}

/** Decides whether the end of this run makes the routine due. */
function follows({ after }: Pick<Routine, 'after'>, run: Pick<Run, 'routine' | 'state'>): boolean {
  return after.some(({ routine, ends }) => routine === run.routine && ends.includes(run.state))
}

async function fireAfter(tx: Statements, routine: Routine, run: Run): Promise<void> {
  const read = readInputs(routine.inputs, {})
  await fire(tx, {
    routine,
    trigger: 'routine',
    key: `after:${run.id}`,
    inputs: 'inputs' in read ? read.inputs : {},
    by: run.routine,
    payload: endOf(run),
    depth: run.depth + 1,
    ...(run.sender === null ? {} : { sender: run.sender }),
    ...('inputs' in read ? {} : { refused: 'bad_inputs' }),
  })
}

/** What `previous` is to the one that follows. */
function endOf(run: Run): Record<string, unknown> {
  const { id, routine, state, reason, title, message, repository, base, baseCommit, branch, commit, files } = run
  const pull = run.pullNumber === null ? null : { number: run.pullNumber, url: run.pullUrl }
  const endedAt = run.endedAt?.toISOString() ?? null
  return {
    run: id,
    routine,
    state,
    reason,
    title,
    message,
    repository,
    base,
    baseCommit,
    branch,
    commit,
    files,
    pull,
    endedAt,
  }
}
