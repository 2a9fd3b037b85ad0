import { formatProblem } from '../format.ts'
import type { Log } from '../../log.ts'
import type { DefinitionsSnapshot } from './definitions.ts'
import type { Definition } from './read-definition.ts'

type Telling = { log: Log; called: string }

/** What a look at the files changed, for the log. */
export function report<T extends Definition>(
  { log, called }: Telling,
  before: DefinitionsSnapshot<T>,
  after: DefinitionsSnapshot<T>,
): void {
  const text = (one: T | undefined) => JSON.stringify(one)
  for (const [name, one] of after.inForce)
    if (text(before.inForce.get(name)) !== text(one)) log.info({ named: name }, `${called} read`)
  for (const name of before.inForce.keys()) if (!after.inForce.has(name)) log.info({ named: name }, `${called} removed`)
  for (const name of after.broken)
    if (!before.broken.has(name)) {
      const stays = after.inForce.has(name)
      log.warn(
        { named: name },
        `the file of a ${called} is broken${stays ? '; its last good version stays in force' : ''}`,
      )
    }
  const old = new Set(before.problems.map(formatProblem))
  for (const problem of after.problems.map(formatProblem)) if (!old.has(problem)) log.warn({ problem }, `${called}s`)
}
