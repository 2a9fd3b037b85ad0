import { randomUUID } from 'node:crypto'
import type { Context } from 'hono'
import { NotFound, OvernightError } from '../../errors.ts'
import { readInputs } from '../../routines/inputs.ts'
import type { Routine } from '../../routines/routine.ts'
import type { Fired } from '../../runs/fire.ts'
import { Refused } from '../access/auth.ts'
import type { Face } from '../face.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import type { Asked } from '../access/programs.ts'
import { aboutPull } from './pull-key.ts'
import { refuseBadInputs } from '../refuse.ts'
import { maySee } from '../access/rights.ts'

export type FireCall = {
  routine: string
  inputs: Record<string, string | number | boolean>
  /** Default: it is for real. */
  trial?: boolean
  /** Number of the pull request that it is about. */
  pull?: number | undefined
  payload: Record<string, unknown> | undefined
  callback: string | undefined
}

/** Somebody asks by HTTP that a routine is fired. The same Idempotency-Key is the same firing, and its answer says so. */
export async function fireByCall(face: Face, c: Context<Asked>, call: FireCall): Promise<Fired> {
  const token = c.get('token')
  if (!maySee(token, call.routine)) throw new NotForRoutine(call.routine)
  const byPerson = c.get('actor') === 'page' || (!token && c.req.header('overnight-client') === 'cli')
  const routine = mayFire(face, call.routine, byPerson)
  const key = readIdempotencyKey(c)
  const by = c.get('actor')
  const fired = await face.acts.fire({
    routine,
    trigger: byPerson ? 'manual' : 'api',
    key: `${call.trial ? 'trial' : 'api'}:${key ?? randomUUID()}`,
    trial: call.trial ?? false,
    inputs: refuseBadInputs(readInputs(routine.inputs, call.inputs)),
    given: Object.keys(call.inputs),
    by,
    ...aboutPull(routine, call.pull),
    ...(call.payload ? { payload: call.payload } : {}),
    ...(call.callback === undefined ? {} : { callback: face.callbackTo(call.callback) }),
    ...(token ? { sender: by } : {}),
  })
  if (!fired.fresh) c.header('idempotent-replay', 'true')
  return fired
}

/** People may always fire a routine; programs only where its file says `on: { api: true }`. */
function mayFire(face: Face, name: string, byPerson: boolean): Routine {
  const routine = findRoutine(face, name)
  if (!byPerson && !routine.api) throw new NotForPrograms(name)
  return routine
}

export function findRoutine(face: Face, name: string): Routine {
  const routine = face.library.snapshot().routines.find((known) => known.name === name)
  if (!routine) throw new NotFound('routine', name, '`overnight check` lists the files and what is wrong with them')
  return routine
}

class NotForPrograms extends OvernightError {
  constructor(name: string) {
    super(`routine ${JSON.stringify(name)} may not be fired by the API`, {
      code: 'forbidden',
      status: 403,
      hint: 'add `api: true` under `on:` in its file',
    })
  }
}

/** Also for a routine that there is not: a token tells nothing of others. */
class NotForRoutine extends Refused {
  constructor(name: string) {
    super(403, `this token is not for the routine ${JSON.stringify(name)}`, 'make one with --routine, or without any')
  }
}
