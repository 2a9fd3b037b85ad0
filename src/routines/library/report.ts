import type { Log } from '../../log.ts'
import { formatProblem } from '../format.ts'
import { difference, type LibrarySnapshot } from './in-force.ts'

/** More names than this are a number: a first look at a large folder would fill the log. */
const named = 20

/** One line for everything that is other than before; answers whether a routine is. */
export function report(log: Log, before: LibrarySnapshot, after: LibrarySnapshot): boolean {
  if (before === after) return false
  const { applied, committed, broken, removed } = difference(before, after)
  const say = (names: readonly string[], what: string) => {
    if (names.length > named) log.info({ routines: names.length }, `${what}s`)
    else for (const routine of names) log.info({ routine }, what)
  }
  say(applied, 'routine read')
  say(removed, 'routine removed')
  for (const routine of committed.slice(0, named)) log.debug({ routine }, 'the commit of the routine is known now')
  const inForce = new Set(after.routines.map((routine) => routine.name))
  for (const routine of broken) {
    log.warn(
      { routine },
      inForce.has(routine) ? 'the file is broken; the last good version stays in force' : 'the file is broken',
    )
  }
  const old = new Set(before.problems.map(formatProblem))
  for (const problem of after.problems.map(formatProblem))
    if (!old.has(problem)) log.warn({ problem }, 'routines folder')
  return applied.length + committed.length + broken.length + removed.length > 0
}
