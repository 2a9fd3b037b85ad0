import { BadRequest, Conflict, NotFound, reasons } from '../errors.ts'
import type { Ledger, Statements } from '../ledger/ledger.ts'
import type { Run, RoutineVersion } from '../ledger/schema.ts'
import type { Routine } from '../routines/routine.ts'
import { fire, type Fired, type Occasion } from './fire.ts'
import { handOnChange } from './kept-change.ts'
import { isEnded } from './states.ts'

export type Acts = ReturnType<typeof createActs>
export type ActTools = {
  ledger: Ledger
  /** The worker of this process stops the run at once, if it has it. */
  stopLocal(run: string): void
  /** There may be something to hand to the queue. */
  wake(): Promise<void>
  routineOf(version: RoutineVersion): Routine
}

/** What people (CLI, page, API) can do with routines and runs. Every act is one transaction and is safe to repeat. */
export function createActs(tools: ActTools) {
  const { ledger } = tools

  async function find(id: string): Promise<Run> {
    // As callers of the hosted service know it.
    const found = await ledger.runs.startingWith(id.replace(/^session_/, ''))
    if (found.length === 0) throw new NotFound('run', id, '`overnight runs` lists them')
    if (found.length > 1)
      throw new BadRequest(`more than one run begins with ${JSON.stringify(id)}`, 'write more of the id')
    return found[0]!
  }
  async function resting(tx: Statements, run: Run, verb: string): Promise<void> {
    const now = await tx.runs.lock(run.id)
    if (now?.state !== 'needs_approval') {
      throw new Conflict(
        `run ${run.id} is ${now?.state}: there is nothing to ${verb}`,
        'only a run that needs approval can be approved or denied',
      )
    }
  }

  return {
    find,

    async fire(occasion: Occasion): Promise<Fired> {
      const fired = await ledger.transaction((tx) => fire(tx, occasion))
      void tools.wake()
      return fired
    },

    async approve(id: string, by: string): Promise<Run> {
      const run = await find(id)
      await ledger.transaction(async (tx) => {
        await resting(tx, run, 'approve')
        const newer = await tx.publications.newerThan(run)
        if (newer) {
          throw new Conflict(
            `run ${newer.run} has worked on the same since: this older change would replace its own`,
            'deny it, or retry it',
          )
        }
        await tx.runs.approve(run.id, by)
        await tx.events.tell(run.id, 'state', { state: 'publishing', by })
        await tx.events.audit(by, 'approve', run.id)
      })
      void tools.wake()
      return find(run.id)
    },

    async deny(id: string, by: string): Promise<Run> {
      const run = await find(id)
      await ledger.transaction(async (tx) => {
        await resting(tx, run, 'deny')
        await endNow(tx, run.id, 'denied')
        await tx.events.audit(by, 'deny', run.id)
      })
      return find(run.id)
    },

    async cancel(id: string, by: string): Promise<Run> {
      const run = await find(id)
      await ledger.transaction(async (tx) => {
        const { state } = (await tx.runs.lock(run.id)) ?? run
        if (isEnded(state)) throw new Conflict(`run ${run.id} has already ended: ${state}`)
        await tx.runs.requestCancel(run.id)
        await endNow(tx, run.id, 'cancelled')
        await tx.events.audit(by, 'cancel', run.id)
      })
      tools.stopLocal(run.id)
      return find(run.id)
    },

    /**
     * A new firing of the same routine text with the same inputs; `retry:<run>:<n>` is its key. A change that the forge did not
     * take is published as it is.
     */
    async retry(id: string, by: string): Promise<Fired> {
      const run = await find(id)
      if (!isEnded(run.state))
        throw new Conflict(`run ${run.id} is still ${run.state}`, 'cancel it first, or wait for its end')
      const version = await ledger.routines.readVersion(run.routine, run.hash)
      if (!version) throw new NotFound('version of routine', run.routine)
      const fired = await ledger.transaction(async (tx) => {
        await tx.oneAtATime(`routine:${run.routine}`)
        const earlier = await tx.firings.retriesOf(run.id)
        const occasion: Occasion = {
          routine: tools.routineOf({ ...version, file: run.file }),
          trigger: 'retry',
          key: `retry:${run.id}:${earlier + 1}`,
          inputs: run.inputs,
          by,
          retryOf: run.id,
          trial: run.trial,
          subject: run.subject,
          concurrencyKey: run.concurrencyKey,
          ...(run.slotAt ? { slotAt: run.slotAt } : {}),
          ...(run.repositoryOverride ? { repository: run.repositoryOverride } : {}),
        }
        const fired = await fire(tx, occasion)
        const isNew = fired.fresh && fired.run === fired.firing.id
        if (!(isNew && (await handOnChange(tx, run, fired.firing.id)))) await refuseForgotten(tx, run)
        return fired
      })
      void tools.wake()
      return fired
    },
  }
}

/** Without the events that it was about an agent would do something else than was asked for. */
async function refuseForgotten(tx: Statements, run: Run): Promise<void> {
  const tries = await tx.background.triesOf(run)
  if (!(await tx.retention.isForgotten(tries.map(({ id }) => id)))) return
  throw new Conflict(
    `what run ${run.id} was told about its events is not kept any more`,
    `fire its routine anew: \`overnight fire ${run.routine}\``,
  )
}

/** Ends the run if no worker has it; one that is at work ends it itself when its signal aborts. */
async function endNow(tx: Statements, run: string, reason: 'cancelled' | 'denied'): Promise<void> {
  const ending = { state: 'cancelled' as const, reason, message: reasons[reason] }
  if (await tx.runs.endUnheld(run, ending)) await tx.events.tell(run, 'state', ending)
}
