import { setImmediate as macrotask } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { RoutineVersion } from '../ledger/schema.ts'
import type { Log } from '../log.ts'
import type { Routine } from '../routines/routine.ts'

export type InForceTools = { ledger: Ledger; routineOf(version: RoutineVersion): Routine; log: Log }
type Row = { name: string; hash: string; file: string }
type Known = { hash: string; file: string; routine: Routine | undefined }

/** The routines in force by the ledger, which may be other ones than this process has read; each text is read once. */
export function createRoutinesInForce({ ledger, routineOf, log }: InForceTools): () => Promise<Routine[]> {
  let known = new Map<string, Known>()

  function read(version: RoutineVersion): Known {
    const { routine: name, hash, file } = version
    try {
      return { hash, file, routine: routineOf(version) }
    } catch (error) {
      log.error(
        { routine: name, error: messageOf(error) },
        'a routine in force can no longer be read; no event fires it',
      )
      return { hash, file, routine: undefined }
    }
  }

  return async () => {
    const now = new Map<string, Known>()
    const isKnown = ({ name, hash, file }: Row) => known.get(name)?.hash === hash && known.get(name)?.file === file
    const rows = await ledger.routines.standing()
    for (const { name } of rows.filter(isKnown)) now.set(name, known.get(name)!)
    const fresh = rows.filter((row) => !isKnown(row)).map(({ name }) => name)
    const versions = fresh.length > 0 ? await ledger.routines.versionsInForce(fresh) : []
    for (const [index, version] of versions.entries()) {
      // Reading a file takes some tenths of a millisecond, and there may be thousands.
      if (index % 32 === 31) await macrotask()
      now.set(version.routine, read(version))
    }
    known = now
    // In the order of the rows: an event locks the routines it fires one after the other, so all processes go the same way.
    return rows.flatMap(({ name }) => now.get(name)?.routine ?? [])
  }
}
