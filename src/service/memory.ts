import { behind, LedgerUnreachable, messageOf, OvernightError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { RoutineVersion } from '../ledger/schema.ts'
import type { Log } from '../log.ts'
import type { Memory, RolledBack } from '../routines/library/memory.ts'
import type { Routine } from '../routines/routine.ts'

type Tools = { ledger: Ledger; routineOf(version: RoutineVersion): Routine; log: Log }

/** What the ledger knows of routines beyond the files. */
export function createMemory({ ledger, routineOf, log }: Tools): Memory {
  const state: { rolledBack: RolledBack[] } = { rolledBack: [] }
  /** A text that this version does not read any more is of no use. */
  const readable = (version: RoutineVersion): Routine[] => {
    try {
      return [routineOf(version)]
    } catch (error) {
      if (!(error instanceof OvernightError)) throw error
      log.warn({ routine: version.routine, error: messageOf(error) }, 'a version of the routine can no longer be read')
      return []
    }
  }
  return {
    async lastGood(name) {
      const version = await ledger.routines.lastGood(name)
      return version && readable(version)[0]
    },
    async inForce() {
      return (await ledger.routines.versionsInForce()).flatMap(readable)
    },
    async rolledBack() {
      try {
        const rows = await ledger.routines.rolledBack()
        state.rolledBack = rows.flatMap(({ from, ...version }) =>
          readable(version).map((routine) => ({ routine, from })),
        )
      } catch (error) {
        // What was known stays: a ledger that is away changes nothing of what is in force.
        if (!(behind(error) instanceof LedgerUnreachable)) throw error
      }
      return state.rolledBack
    },
  }
}
