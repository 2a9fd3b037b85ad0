import type { Ledger } from '../ledger/ledger.ts'
import type { Problem, Routine } from '../routines/routine.ts'
import { formatProblem } from '../routines/format.ts'
import { cronOf } from './schedule/cron.ts'
import { nextFire } from './schedule/next-fire.ts'

/** The folder as it is read now; `broken` holds the problems of files whose last good version stays in force. */
export type FolderState = { routines: readonly Routine[]; broken: ReadonlyMap<string, readonly Problem[]> }

/**
 * Puts the folder in force, in one transaction: versions, schedules (one that did not change keeps what it owes), what is
 * broken, what is gone. Applying the same folder again changes nothing.
 */
export async function applyRoutines(ledger: Ledger, folder: FolderState): Promise<void> {
  await ledger.transaction(async (tx) => {
    await tx.oneAtATime('routines')
    const now = await tx.now()
    const known = new Map((await tx.routines.list()).map((row) => [row.name, row]))
    for (const routine of folder.routines) {
      const before = known.get(routine.name)
      const isBroken = folder.broken.has(routine.name)
      const { name, hash, file, source, commit } = routine
      await tx.routines.ensureVersion({ routine: name, hash, file, source, commit })
      if (before?.hash === hash && before.file === file && !isBroken && before.error === null) continue
      await tx.routines.apply({ name, hash, file })
      const schedules = routine.schedules.map((schedule) => ({
        ...schedule,
        nextFireAt: nextFire(cronOf(schedule.cron), schedule.timezone, now) ?? null,
      }))
      await tx.routines.replaceSchedules(name, schedules)
    }
    for (const [name, problems] of folder.broken)
      await tx.routines.markBroken(name, problems.map(formatProblem).join('\n'))
    const present = new Set([...folder.routines.map((routine) => routine.name), ...folder.broken.keys()])
    for (const name of known.keys()) if (!present.has(name)) await tx.routines.markRemoved(name)
  })
}
