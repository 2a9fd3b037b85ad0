import { messageOf } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { RoutineVersion } from '../ledger/schema.ts'
import type { Log } from '../log.ts'
import type { Routine } from '../routines/routine.ts'

export type InForceTools = { ledger: Ledger; routineOf(version: RoutineVersion): Routine; log: Log }
type Known = { hash: string; file: string; routine: Routine | undefined }

/** The routines in force by the ledger, which may be other ones than this process has read; each text is read once. */
export function createRoutinesInForce({ ledger, routineOf, log }: InForceTools): () => Promise<Routine[]> {
  let known = new Map<string, Known>()

  async function read(name: string): Promise<Known | undefined> {
    const version = await ledger.routines.versionInForce(name)
    if (!version) return undefined
    try {
      return { hash: version.hash, file: version.file, routine: routineOf(version) }
    } catch (error) {
      log.error(
        { routine: name, error: messageOf(error) },
        'a routine in force can no longer be read; no event fires it',
      )
      return { hash: version.hash, file: version.file, routine: undefined }
    }
  }

  return async () => {
    const now = new Map<string, Known>()
    for (const row of await ledger.routines.list()) {
      const before = known.get(row.name)
      const isSame = before?.hash === row.hash && before.file === row.file
      const found = isSame ? before : await read(row.name)
      if (found) now.set(row.name, found)
    }
    known = now
    return [...now.values()].flatMap(({ routine }) => routine ?? [])
  }
}
