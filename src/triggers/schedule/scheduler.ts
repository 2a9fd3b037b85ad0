import { OvernightError, reasons } from '../../errors.ts'
import type { Ledger, Statements } from '../../ledger/ledger.ts'
import type { RoutineVersion, ScheduleRow } from '../../ledger/schema.ts'
import { readInputs } from '../../routines/inputs.ts'
import type { Routine } from '../../routines/routine.ts'
import { fire } from '../../runs/fire.ts'
import { cronOf, parseCron } from './cron.ts'
import { dueSlots } from './due-slots.ts'
import { nextFire } from './next-fire.ts'

export type SchedulerTools = { ledger: Ledger; routineOf(version: RoutineVersion): Routine }
/** While a transaction is open nobody else is served: a schedule takes about 5 ms of it. */
const batch = 50

/**
 * One tick, one transaction: schedules that are due by the ledger's clock → their slots → firings, and the next due
 * instant. Any number of schedulers may tick at once; a missed tick loses nothing, the next one enumerates what was due.
 * Returns how many schedules were due; `batch` means there may be more.
 */
export async function tick({ ledger, routineOf }: SchedulerTools): Promise<{ due: number; more: boolean }> {
  return ledger.transaction(async (tx) => {
    const due = await tx.slots.due(batch)
    if (due.length === 0) return { due: 0, more: false }
    const now = await tx.now()
    // By name: a scheduler that holds one routine and waits for another must never meet its mirror image.
    for (const row of due.toSorted((a, b) => (a.routine < b.routine ? -1 : Number(a.routine > b.routine)))) {
      try {
        await settle(tx, { row, now, routineOf })
      } catch (error) {
        if (!(error instanceof OvernightError)) throw error
        await setAside(tx, { row, now, why: error.message })
      }
    }
    return { due: due.length, more: due.length === batch }
  })
}

/** A text that this version no longer reads: its slot is skipped, it is shown as broken, and the others are due all the same. */
async function setAside(
  tx: Statements,
  { row, now, why }: { row: ScheduleRow; now: Date; why: string },
): Promise<void> {
  const at = row.nextFireAt!
  await tx.routines.markBroken(row.routine, why)
  await tx.slots.record({ routine: row.routine, at, outcome: 'skipped', late: false, reason: why, firing: null })
  const cron = parseCron(row.cron)
  const next = 'error' in cron ? undefined : nextFire(cron, row.timezone, now)
  await tx.slots.moveSchedule(row, next ?? null)
}

type Due = { row: ScheduleRow; now: Date; routineOf: SchedulerTools['routineOf'] }

async function settle(tx: Statements, { row, now, routineOf }: Due): Promise<void> {
  const version = await tx.routines.versionInForce(row.routine)
  if (!version || !row.nextFireAt) return tx.slots.moveSchedule(row, null)
  const routine = routineOf(version)
  const { slots, next } = dueSlots({
    cron: cronOf(row.cron),
    zone: row.timezone,
    from: row.nextFireAt,
    now,
    catchUp: routine.catchUp,
  })
  const missed = slots.filter((slot) => slot.outcome === 'missed')
  await tx.slots.recordMissed(missed.map((slot) => ({ routine: row.routine, at: slot.at, reason: slot.reason })))
  for (const slot of slots) {
    // After a clock that went back an instant may come again, under another cron or with other inputs.
    if (slot.outcome !== 'fire' || (await tx.slots.isRecorded(row.routine, slot.at))) continue
    await fireSlot(tx, { routine, at: slot.at, late: slot.late })
  }
  await tx.slots.moveSchedule(row, next ?? null)
}

async function fireSlot(tx: Statements, slot: { routine: Routine; at: Date; late: boolean }): Promise<void> {
  const { routine, at, late } = slot
  const read = readInputs(routine.inputs, {})
  const row = { routine: routine.name, at, late }
  if (!('inputs' in read)) {
    await tx.slots.record({
      ...row,
      outcome: 'skipped',
      reason: `${reasons.bad_inputs}: ${read.problems.join('; ')}`,
      firing: null,
    })
    return
  }
  const fired = await fire(tx, {
    routine,
    trigger: 'schedule',
    key: `cron:${at.toISOString()}`,
    inputs: read.inputs,
    by: 'schedule',
    slotAt: at,
  })
  const outcome = fired.firing.outcome === 'accepted' ? 'fired' : fired.firing.outcome
  await tx.slots.record({ ...row, outcome, reason: fired.firing.reason, firing: fired.firing.id })
}

/** One transaction takes a bounded number of schedules; a crowd at midnight takes several. Answers how many were due. */
export async function tickUntilDone(tools: SchedulerTools): Promise<number> {
  let total = 0
  for (;;) {
    const { due, more } = await tick(tools)
    total += due
    if (!more) return total
  }
}
