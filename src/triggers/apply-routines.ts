import { setImmediate as macrotask } from 'node:timers/promises'
import type { Ledger } from '../ledger/ledger.ts'
import type { Standing } from '../ledger/routines.ts'
import type { NewSchedule } from '../ledger/schedules.ts'
import type { Problem, Routine } from '../routines/routine.ts'
import { formatProblem } from '../routines/format.ts'
import { acceptBeforeReplacing } from './schedule/accept-slots.ts'
import { cronOf } from './schedule/cron.ts'
import { owedFrom } from './schedule/due-slots.ts'

/** The folder as it is read now; `broken` holds the problems of files whose last good version stays in force. */
export type FolderState = { routines: readonly Routine[]; broken: ReadonlyMap<string, readonly Problem[]> }

export type Applying = {
  /** Texts to keep: new ones, and those whose commit became known. */
  versions: Routine[]
  /** To be put in force. */
  changed: Routine[]
  /** Of those, the ones whose schedules count: not an older version that people put back. */
  rescheduled: Routine[]
  /** Of those, the ones with another text than before. */
  rewritten: Routine[]
  broken: { name: string; error: string }[]
  removed: string[]
}

/** What differs between the folder and what is in force. Applying the same folder again is nothing at all. */
export function decideApplying(inForce: readonly Standing[], { routines, broken }: FolderState): Applying {
  const known = new Map(inForce.map((row) => [row.name, row]))
  const hasText = ({ name, hash }: Routine) => {
    const row = known.get(name)
    return row !== undefined && (row.rolledBackFrom ?? row.hash) === hash
  }
  const isSame = (routine: Routine) => {
    const row = known.get(routine.name)
    return hasText(routine) && row?.file === routine.file && (broken.has(routine.name) || row.error === null)
  }
  const isKept = ({ name, hash, commit }: Routine) => {
    const row = known.get(name)
    return row?.rolledBackFrom === hash || (row?.hash === hash && (commit === null || row.commit !== null))
  }
  const present = new Set([...routines.map(({ name }) => name), ...broken.keys()])
  const changed = routines.filter((routine) => !isSame(routine))
  // Putting a version in force forgets what was wrong with the file.
  const applied = new Set(changed.map(({ name }) => name))
  const isBack = ({ name, hash }: Routine) => known.get(name)?.rolledBackFrom === hash
  return {
    versions: routines.filter((routine) => !isKept(routine)),
    changed,
    rescheduled: changed.filter((routine) => !isBack(routine)),
    rewritten: changed.filter((routine) => !hasText(routine)),
    broken: [...broken]
      .map(([name, problems]) => ({ name, error: problems.map(formatProblem).join('\n') }))
      .filter(({ name, error }) => applied.has(name) || known.get(name)?.error !== error),
    removed: inForce.map(({ name }) => name).filter((name) => !present.has(name)),
  }
}

/**
 * Puts the folder in force, in one transaction: versions, schedules (one that did not change keeps what it owes), what is
 * broken, what is gone. Applying the same folder again changes nothing.
 */
export async function applyRoutines(ledger: Ledger, folder: FolderState): Promise<void> {
  await ledger.transaction(async (tx) => {
    await tx.oneAtATime('routines')
    const now = await tx.now()
    const { versions, changed, rescheduled, rewritten, broken, removed } = decideApplying(
      await tx.routines.standing(),
      folder,
    )
    await tx.routines.ensureVersions(
      versions.map(({ name, hash, file, source, commit }) => ({ routine: name, hash, file, source, commit })),
    )
    const schedules = await schedulesOf(rescheduled, now)
    await acceptBeforeReplacing(tx, [...schedules, ...removed.map((routine) => ({ routine, schedules: [] }))], now)
    await tx.routines.apply(changed.map(({ name, hash, file }) => ({ name, hash, file })))
    await tx.routines.replaceSchedules(schedules)
    for (const { name, error } of broken) await tx.routines.markBroken(name, error)
    await tx.routines.markRemoved(removed)
    await tx.alerts.dropPaused(removed)
    await tx.history.record([
      ...rewritten.map(({ name, hash }) => ({ actor, action: 'apply' as const, subject: name, data: { hash } })),
      ...removed.map((name) => ({ actor, action: 'remove' as const, subject: name, data: {} })),
    ])
    if (changed.length + broken.length + removed.length > 0) await tx.routines.tell()
  })
}

/** Whoever may write the files. */
const actor = 'files'

/** Finding the next instant takes a tenth of a millisecond: after so many others have a turn. */
const atOnce = 100

export async function schedulesOf(routines: readonly Routine[], now: Date) {
  const found: { routine: string; schedules: NewSchedule[] }[] = []
  for (const [index, { name, schedules, catchUp }] of routines.entries()) {
    if (index % atOnce === atOnce - 1) await macrotask()
    const withNext = schedules.map((schedule) => ({
      ...schedule,
      nextFireAt: owedFrom(cronOf(schedule.cron), schedule.timezone, now) ?? null,
      catchUp,
    }))
    found.push({ routine: name, schedules: withNext })
  }
  return found
}
