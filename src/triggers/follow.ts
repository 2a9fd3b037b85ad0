import { logged, messageOf } from '../errors.ts'
import type { Ledger, Statements } from '../ledger/ledger.ts'
import type { Run } from '../ledger/schema.ts'
import type { Log } from '../log.ts'
import { createInTurn } from '../routines/library/in-turn.ts'
import { readInputs } from '../routines/inputs.ts'
import type { Routine } from '../routines/routine.ts'
import { fire } from '../runs/fire.ts'
import { kept } from './settlement.ts'

export type FollowTools = {
  ledger: Ledger
  /** The routines in force, as the ledger has them now. */
  routines(): Promise<readonly Routine[]>
  /** There is something to hand out. */
  wake(): void
  /** Where alerts are sent. */
  alertUrls: readonly string[]
  log: Log
}
export type Following = {
  /** Looks for runs that ended now; many calls while it looks are one more look. Never rejects. */
  wake(): Promise<void>
  /** Begins nothing more; resolves when what has begun is over. */
  stop(): Promise<void>
}

/** From so many tries on (half a minute) somebody is told; it is tried on, as long as it takes. */
const triesUntilAlert = 5
const alertKey = 'followers'

/**
 * Fires the routines that follow others. That a run's followers are owed is written with its end, and taken back in the
 * transaction that fires them: a kill in between loses none and doubles none. Every server process may do so at once. One that
 * cannot be fired keeps no other from it: its run stays owed, and is tried again less and less often.
 */
export function createFollowing({ ledger, routines, wake, alertUrls, log }: FollowTools): Following {
  const state = { stopped: false }

  async function look(): Promise<void> {
    if (state.stopped || !(await ledger.followers.isOwed())) return
    const inForce = await routines()
    while (!state.stopped) {
      const settled = await ledger.transaction(async (tx) => {
        const run = await tx.followers.nextOwed()
        return run && { run, ...(await settleOne(tx, run, inForce)) }
      })
      if (settled === undefined) return
      if (settled.fired > 0) wake()
      const { run, failures } = settled
      for (const { routine, error } of failures)
        log.error({ run: run.id, routine, ...logged(error) }, 'a routine that follows this run could not be fired')
    }
  }

  async function settleOne(tx: Statements, run: Run, inForce: readonly Routine[]): Promise<Settled> {
    const followers = inForce.filter((routine) => follows(routine, run))
    const failures: Failure[] = []
    for (const routine of followers) {
      // One that was fired at an earlier try may have another text by now.
      if (await tx.firings.find(routine.name, keyOf(run))) continue
      await tx
        .apart((inner) => fireAfter(inner, routine, run))
        .catch((error: unknown) => failures.push({ routine: routine.name, error }))
    }
    if (failures.length > 0) await setAside(tx, run, failures[0]!)
    else await settle(tx, run)
    return { fired: followers.length - failures.length, failures }
  }

  async function setAside(tx: Statements, run: Run, { routine, error }: Failure): Promise<void> {
    await tx.followers.postpone(run.id)
    if (run.followTries + 1 < triesUntilAlert) return
    const text = `${routine}, which follows it, could not be fired in ${run.followTries + 1} tries: ${kept(messageOf(error))}`
    if (run.followTries + 1 === triesUntilAlert) await tx.events.tell(run.id, 'note', { text })
    const message = `after run ${run.id} of ${run.routine}: ${text}`
    await tx.alerts.raise({ kind: 'followers_not_fired', key: alertKey, routine, message }, alertUrls)
  }

  async function settle(tx: Statements, run: Run): Promise<void> {
    await tx.followers.settle(run.id)
    if (run.followTries < triesUntilAlert || (await tx.followers.isStuck(triesUntilAlert))) return
    const told = await tx.alerts.openOf(alertKey)
    if (told) await tx.alerts.clear(told.id, alertUrls)
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

type Failure = { routine: string; error: unknown }
type Settled = { fired: number; failures: readonly Failure[] }

const keyOf = (run: Pick<Run, 'id'>): string => `after:${run.id}`

/** Decides whether the end of this run makes the routine due. */
function follows({ after }: Pick<Routine, 'after'>, run: Pick<Run, 'routine' | 'state'>): boolean {
  return after.some(({ routine, ends }) => routine === run.routine && ends.includes(run.state))
}

async function fireAfter(tx: Statements, routine: Routine, run: Run): Promise<void> {
  const read = readInputs(routine.inputs, {})
  await fire(tx, {
    routine,
    trigger: 'routine',
    key: keyOf(run),
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
