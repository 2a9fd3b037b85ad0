import type { Alert } from '../../ledger/schema.ts'
import type { NewAlert } from '../../ledger/alerts.ts'

/** A slot that should have a row and has none; `owed`: it has one, and nothing came of it. */
export type LostSlot = { routine: string; at: Date; owed: { reason: string | null } | null }
/** Runs that nobody began and that do not say what they wait for. */
export type Unstarted = { count: number; oldest: { id: string; routine: string; since: Date } }

export type Found = { slots: readonly LostSlot[]; runs: Unstarted | undefined }
type Open = Pick<Alert, 'id' | 'kind' | 'key' | 'routine'>

/** When a scheduler stands still everything is late: so many routines are named, the others are counted. */
export const named = 10
const others = 'slots:others'
const unstarted = 'runs'

/** What is told now and what is made good, given what was told before. A routine is told of once, by its first lost slot. */
export function decideAlerts({ slots, runs }: Found, open: readonly Open[]): { raise: NewAlert[]; clear: Open[] } {
  const still = new Set([...slots.map(slotKey), ...(runs ? [unstarted] : [])])
  const mine = open.filter(({ kind }) => kind === 'slot_unrecorded' || kind === 'run_not_started')
  const kept = mine.filter(({ key }) => still.has(key))
  const told = new Set(kept.map(({ routine }) => routine))
  const untold = firstOfEach(slots).filter(({ routine }) => !told.has(routine))
  const room = Math.max(0, named - kept.filter(({ kind }) => kind === 'slot_unrecorded').length)
  const rest = untold.slice(room)
  if (rest.length > 0) still.add(others)
  const wanted = [
    ...untold.slice(0, room).map(slotAlert),
    ...(rest.length > 0 ? [othersAlert(rest)] : []),
    ...(runs ? [runsAlert(runs)] : []),
  ]
  const known = new Set(mine.map(({ key }) => key))
  return {
    raise: wanted.filter(({ key }) => !known.has(key)),
    clear: mine.filter(({ key }) => !still.has(key)),
  }
}

export function slotKey({ routine, at }: Pick<LostSlot, 'routine' | 'at'>): string {
  return `slot:${routine}:${at.toISOString()}`
}

/** The slot that an open alert is about; undefined for one that is about something else. */
export function slotOf({ key, routine }: Pick<Open, 'key' | 'routine'>): { routine: string; at: Date } | undefined {
  const at = key.startsWith(`slot:${routine}:`) ? new Date(key.slice(`slot:${routine}:`.length)) : undefined
  return at && { routine, at }
}

function firstOfEach(slots: readonly LostSlot[]): LostSlot[] {
  const byTime = slots.toSorted((a, b) => a.at.getTime() - b.at.getTime() || (a.routine < b.routine ? -1 : 1))
  return [...new Map(byTime.toReversed().map((slot) => [slot.routine, slot])).values()].toReversed()
}

function slotAlert(slot: LostSlot): NewAlert {
  const what = `the slot of ${slot.routine} at ${spoken(slot.at)}`
  const message = slot.owed
    ? `${what} is on record, and nothing comes of it${slot.owed.reason === null ? '' : `: ${slot.owed.reason}`}`
    : `${what} has no row: no scheduler has taken it up`
  return { kind: 'slot_unrecorded', key: slotKey(slot), routine: slot.routine, message }
}

function othersAlert(rest: readonly LostSlot[]): NewAlert {
  const [{ routine, at }] = rest as [LostSlot]
  const message = `${rest.length} more routines have slots of which nothing came, such as ${routine} at ${spoken(at)}`
  return { kind: 'slot_unrecorded', key: others, routine: '', message }
}

function runsAlert({ count, oldest: { id, routine, since } }: Unstarted): NewAlert {
  const what = count === 1 ? `run ${id} of ${routine}` : `${count} runs, the oldest of them ${id} of ${routine},`
  const message = `${what} could have started at ${spoken(since)}, and no worker takes ${count === 1 ? 'it' : 'them'}`
  return { kind: 'run_not_started', key: unstarted, routine, message }
}

/** `2026-11-20 02:00 UTC`: the message is read in logs and by programs, too. */
function spoken(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
