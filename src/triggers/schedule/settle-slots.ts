import { messageOf, OvernightError, reasons } from '../../errors.ts'
import type { Ledger, Statements } from '../../ledger/ledger.ts'
import type { RoutineVersion, Slot } from '../../ledger/schema.ts'
import type { SlotEnding } from '../../ledger/slots.ts'
import { readInputs } from '../../routines/inputs.ts'
import type { Routine } from '../../routines/routine.ts'
import { fire } from '../../runs/fire.ts'

export type SettleTools = {
  ledger: Ledger
  routineOf(version: RoutineVersion): Routine
  /** A slot has its outcome. */
  onSettled(): void
  /** It stays owed; told once a reason. */
  onTrouble(slot: Slot, error: unknown): void
  signal?: AbortSignal
}

/** Routines at once: an embedded store serves one after the other anyway, a PostgreSQL waits for its disk most of the time. */
const lanes = 4

/**
 * Every owed slot becomes what it becomes, each in a transaction of its own: those of one routine in their order, those of others
 * beside it. One that fails stays owed, says why, and holds up no other. Any number of processes may do so at once.
 */
export async function settleOwed(tools: SettleTools): Promise<void> {
  const routines = await tools.ledger.slots.owedRoutines()
  const lane = async () => {
    for (let routine = routines.pop(); routine !== undefined; routine = routines.pop()) {
      await settleRoutine(tools, routine)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

async function settleRoutine(tools: SettleTools, routine: string): Promise<void> {
  const state = { after: new Date(0) }
  while (!tools.signal?.aborted) {
    const tried = { slot: undefined as Slot | undefined }
    try {
      await tools.ledger.transaction(async (tx) => {
        // Whoever has this lock takes the oldest, so several processes keep the order.
        await tx.oneAtATime(`routine:${routine}`)
        tried.slot = await tx.slots.firstOwed(routine, state.after)
        if (tried.slot) await tx.slots.end(tried.slot, await settle(tx, tried.slot, tools))
      })
      if (!tried.slot) return
      tools.onSettled()
    } catch (error) {
      // Without a slot it is the ledger that has failed: the next look tries again.
      if (!tried.slot) throw error
      const isNews = await tools.ledger.slots.keepOwed(tried.slot, messageOf(error))
      if (isNews) tools.onTrouble(tried.slot, error)
    }
    state.after = tried.slot.at
  }
}

async function settle(tx: Statements, slot: Slot, { routineOf }: SettleTools): Promise<SlotEnding> {
  const version = await tx.routines.versionInForce(slot.routine)
  if (!version) return skipped('removed')
  const read = readText(() => routineOf(version))
  if ('wrong' in read) {
    await tx.routines.markBroken(slot.routine, read.wrong)
    return skipped(read.wrong)
  }
  const { routine } = read
  const inputs = readInputs(routine.inputs, {})
  if (!('inputs' in inputs)) return skipped(`${reasons.bad_inputs}: ${inputs.problems.join('; ')}`)
  const { firing } = await fire(tx, {
    routine,
    trigger: 'schedule',
    key: `cron:${slot.at.toISOString()}`,
    inputs: inputs.inputs,
    by: 'schedule',
    slotAt: slot.at,
  })
  const outcome = firing.outcome === 'accepted' ? 'fired' : firing.outcome
  return { outcome, reason: firing.reason, firing: firing.id }
}

/** A text that this version no longer reads is no surprise: the slot says so, the routine is shown as broken. */
function readText(read: () => Routine): { routine: Routine } | { wrong: string } {
  try {
    return { routine: read() }
  } catch (error) {
    if (error instanceof OvernightError) return { wrong: error.message }
    throw error
  }
}

function skipped(reason: string): SlotEnding {
  return { outcome: 'skipped', reason, firing: null }
}
