import { BadRequest, Conflict, NotFound } from '../errors.ts'
import type { Ledger, Statements } from '../ledger/ledger.ts'
import type { RoutineRow, RoutineVersion } from '../ledger/schema.ts'
import type { Routine } from '../routines/routine.ts'
import { schedulesOf } from './apply-routines.ts'
import { acceptBeforeReplacing } from './schedule/accept-slots.ts'

export type RollingBack = {
  routine: string
  /** The beginning of a version's hash; default: what was in force before what is now. */
  to?: string | undefined
  by: string
  /** Throws BadRequest for a text that this version does not read. */
  routineOf(version: RoutineVersion): Routine
}
/** `from`: the hash of the file's own text, which counts again as soon as it changes; null = the file's own text is in force. */
export type PutBack = { routine: string; hash: string; from: string | null }

/** How far back the version before is looked for. */
const historyLimit = 200

/** Puts an older version in force at once, for every process, until the file has another text or a person undoes it. */
export function rollBack(ledger: Ledger, { to, ...rolling }: RollingBack): Promise<PutBack> {
  return ledger.transaction(async (tx) => {
    const row = await lockInForce(tx, rolling.routine)
    const hash = await (to === undefined ? versionBefore(tx, row) : versionLike(tx, row.name, to))
    if (hash === row.hash) throw new Conflict(`version ${short(hash)} of ${row.name} is in force already`)
    return putBack(tx, row, { ...rolling, hash, action: 'rollback' })
  })
}

/** The file's own text is in force again. */
export function undoRollback(ledger: Ledger, rolling: Omit<RollingBack, 'to'>): Promise<PutBack> {
  return ledger.transaction(async (tx) => {
    const row = await lockInForce(tx, rolling.routine)
    if (row.rolledBackFrom === null)
      throw new Conflict(`${row.name} is not rolled back`, 'what its file says is in force')
    return putBack(tx, row, { ...rolling, hash: row.rolledBackFrom, action: 'undo_rollback' })
  })
}

type Putting = Omit<RollingBack, 'to'> & { hash: string; action: 'rollback' | 'undo_rollback' }

async function putBack(tx: Statements, row: RoutineRow, putting: Putting): Promise<PutBack> {
  const { by, hash, action, routineOf } = putting
  const version = await tx.routines.readVersion(row.name, hash)
  if (!version) throw new NotFound('version', short(hash), `\`overnight history ${row.name}\` lists its versions`)
  const routine = routineOf({ ...version, file: row.file })
  const own = row.rolledBackFrom ?? row.hash
  const from = hash === own ? null : own
  const now = await tx.now()
  const schedules = await schedulesOf([routine], now)
  await acceptBeforeReplacing(tx, schedules, now)
  await tx.routines.putBack(row.name, { hash, from })
  await tx.routines.replaceSchedules(schedules)
  await tx.history.record([{ actor: by, action, subject: row.name, data: { hash, from } }])
  await tx.routines.tell()
  return { routine: row.name, hash, from }
}

async function lockInForce(tx: Statements, routine: string): Promise<RoutineRow> {
  await tx.oneAtATime('routines')
  const row = await tx.routines.find(routine)
  if (row) return row
  throw new NotFound(
    'routine in force',
    routine,
    'the service puts files of the routines folder in force: overnight up',
  )
}

/** The one that was in force until what is in force now came. */
async function versionBefore(tx: Statements, row: RoutineRow): Promise<string> {
  const hashes = (await tx.history.of(row.name, historyLimit)).flatMap(({ hash }) => hash ?? [])
  // What people put back is older than what it replaced: what came before it is further down.
  const applied = hashes.indexOf(row.hash, row.rolledBackFrom === null ? 0 : 1)
  const before = hashes.slice(Math.max(applied, 0)).find((hash) => hash !== row.hash && hash !== row.rolledBackFrom)
  if (before !== undefined) return before
  throw new Conflict(
    `${row.name} has no version before this one`,
    `\`overnight history ${row.name}\` lists its versions`,
  )
}

async function versionLike(tx: Statements, routine: string, beginning: string): Promise<string> {
  const found = await tx.history.hashesLike(routine, beginning.toLowerCase())
  const [hash, another] = found
  if (hash === undefined)
    throw new NotFound(`version of ${routine}`, beginning, `\`overnight history ${routine}\` lists them`)
  if (another !== undefined)
    throw new BadRequest(
      `more than one version of ${routine} begins with ${JSON.stringify(beginning)}`,
      'write more of the hash',
    )
  return hash
}

const short = (hash: string): string => hash.slice(0, 12)
