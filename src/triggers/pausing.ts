import { NotFound } from '../errors.ts'
import type { Ledger, Statements } from '../ledger/ledger.ts'
import type { Pausing } from '../ledger/pauses.ts'
import { dueOf } from './schedule/accept-slots.ts'

/** `routine` undefined = all of them. Both are safe to repeat; `changed` is false when it was so before. */
export type Hold = { routine: string | undefined; by: string }
const everything = 'all routines'
const turns = 'pauses'

/** From now on what comes by itself is recorded as skipped; runs at work go on, and people may still fire it. */
export function pause(ledger: Ledger, { routine, by, reason }: Hold & Pausing): Promise<{ changed: boolean }> {
  return ledger.transaction(async (tx) => {
    await tx.oneAtATime(turns)
    const changed = await (routine === undefined ? pauseAll(tx, { by, reason }) : pauseOne(tx, routine, { by, reason }))
    const entry = { actor: by, action: 'pause', subject: routine ?? everything, data: { reason } }
    if (changed) await tx.events.auditWith(entry)
    return { changed }
  })
}

/** Goes on from now: what passed meanwhile is on record as skipped, and is not caught up with. */
export function resume(ledger: Ledger, { routine, by }: Hold): Promise<{ changed: boolean }> {
  return ledger.transaction(async (tx) => {
    await tx.oneAtATime(turns)
    if (routine !== undefined) await requireInForce(tx, routine)
    const was = routine === undefined ? await tx.pauses.whole() : (await tx.routines.find(routine))?.pausedAt
    if (!was) return { changed: false }
    await passOver(tx, routine)
    await tx.pauses.skipOwed(routine)
    await (routine === undefined ? tx.pauses.resumeAll(by) : tx.pauses.resume(routine))
    const told = routine === undefined ? undefined : await tx.alerts.openOf(`paused:${routine}`)
    if (told) await tx.alerts.clear(told.id, [])
    await tx.events.audit(by, 'resume', routine ?? everything)
    return { changed: true }
  })
}

async function pauseAll(tx: Statements, pausing: Pausing): Promise<boolean> {
  if (await tx.pauses.whole()) return false
  await tx.pauses.pauseAll(pausing)
  return true
}

async function pauseOne(tx: Statements, routine: string, pausing: Pausing): Promise<boolean> {
  await requireInForce(tx, routine)
  return tx.pauses.pause(routine, pausing)
}

async function requireInForce(tx: Statements, routine: string): Promise<void> {
  if (await tx.routines.find(routine)) return
  throw new NotFound(
    'routine in force',
    routine,
    'the service puts files of the routines folder in force: overnight up',
  )
}

/** Slots that were due in the pause and that no scheduler has seen (nothing ran then). */
async function passOver(tx: Statements, routine: string | undefined): Promise<void> {
  const now = await tx.now()
  const overdue = Map.groupBy(await tx.slots.overdue(routine), (row) => row.routine)
  for (const rows of overdue.values()) {
    const { moves, slots } = dueOf(rows, now)
    const skipped = { outcome: 'skipped', reason: 'paused', late: false } as const
    const passed = slots.map((slot) => (slot.reason === 'unlisted' ? slot : { ...slot, ...skipped }))
    await tx.slots.accept(moves, passed)
  }
}
