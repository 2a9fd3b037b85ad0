import { messageOf } from '../../errors.ts'
import type { Ledger, Statements } from '../../ledger/ledger.ts'
import type { ScheduleRow } from '../../ledger/schema.ts'
import type { Move, NewSlot } from '../../ledger/slots.ts'
import { cronOf } from './cron.ts'
import { dueSlots, type OwedSchedule } from './due-slots.ts'

/** Of one look. Finding the slots of a routine takes about 0.2 ms, in which this process does nothing else. */
const routines = 500
/** Of one statement: a downtime of a year is written in pieces, each whole in itself. */
const rows = 10_000

/**
 * One look: what is due by the ledger's clock becomes rows, and its schedules go on. Any number of schedulers may look at once; a
 * look that is missed loses nothing, the next one finds what was due. Answers how many schedules were due and moved by this one.
 */
export async function acceptDue({ slots }: Pick<Ledger, 'slots'>): Promise<{ now: Date; due: number; moved: number }> {
  const { now, schedules } = await slots.due(routines)
  return { now, due: schedules.length, moved: await accept(slots, schedules, now) }
}

/** The schedules of a routine from now on; none when it is removed. */
export type Next = { routine: string; schedules: readonly Pick<ScheduleRow, 'cron' | 'timezone' | 'catchUp'>[] }

/**
 * For schedules that are about to be replaced: of a routine that loses one, what is due becomes rows, by the rule it has from now
 * on, as if a scheduler had looked just before. A routine that keeps all of them keeps what they owe.
 */
export async function acceptBeforeReplacing({ slots }: Pick<Statements, 'slots'>, next: readonly Next[], now: Date) {
  const wanted = new Map(next.map(({ routine, schedules }) => [routine, schedules]))
  const overdue = wanted.size === 0 ? [] : await slots.overdueOf([...wanted.keys()], now)
  const stays = ({ routine, cron, timezone }: ScheduleRow) =>
    wanted.get(routine)?.some((one) => one.cron === cron && one.timezone === timezone)
  const losing = new Set(overdue.filter((row) => !stays(row)).map(({ routine }) => routine))
  const due = overdue.filter(({ routine }) => losing.has(routine))
  const byItsRule = (row: ScheduleRow) => ({ ...row, catchUp: wanted.get(row.routine)?.[0]?.catchUp ?? row.catchUp })
  await accept(slots, due.map(byItsRule), now)
}

/** Answers how many schedules went on by this. */
async function accept(slots: Ledger['slots'], schedules: readonly ScheduleRow[], now: Date): Promise<number> {
  const byRoutine = Map.groupBy(schedules, (row) => row.routine)
  const batch = { moves: [] as Move[], slots: [] as NewSlot[], moved: 0 }
  const write = async () => {
    if (batch.moves.length > 0) batch.moved += await slots.accept(batch.moves, batch.slots)
    batch.moves = []
    batch.slots = []
  }
  for (const rowsOfOne of byRoutine.values()) {
    const found = dueOf(rowsOfOne, now)
    batch.moves.push(...found.moves)
    for (const slot of found.slots) batch.slots.push(slot)
    if (batch.slots.length >= rows) await write()
  }
  await write()
  return batch.moved
}

type Accepted = { moves: Move[]; slots: NewSlot[] }

/** The slots of one routine, by its own rule. A schedule that this version does not understand must not hold up the others. */
export function dueOf(rows: readonly ScheduleRow[], now: Date): Accepted {
  try {
    return understood(rows, now)
  } catch (error) {
    const moves = rows.map((row) => moveOf(row, undefined))
    const slots = rows.flatMap(({ routine, nextFireAt: at }) =>
      at ? [{ routine, at, outcome: 'skipped' as const, late: false, reason: messageOf(error) }] : [],
    )
    return { moves, slots }
  }
}

function understood(rows: readonly ScheduleRow[], now: Date): Accepted {
  const owed = rows.map((row): OwedSchedule => ({
    cron: cronOf(row.cron),
    zone: row.timezone,
    from: row.nextFireAt ?? now,
  }))
  const { slots, next } = dueSlots({ schedules: owed, now, catchUp: rows[0]!.catchUp })
  const { routine } = rows[0]!
  return {
    moves: rows.map((row, index) => moveOf(row, next[index])),
    slots: slots.map(({ at, outcome, late, reason }) => ({
      routine,
      at,
      outcome: outcome === 'fire' ? null : outcome,
      late,
      reason,
    })),
  }
}

function moveOf({ routine, cron, timezone, nextFireAt }: ScheduleRow, next: Date | undefined): Move {
  return { routine, cron, timezone, seen: nextFireAt, next: next ?? null }
}
