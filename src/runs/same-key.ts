import { isDeepStrictEqual } from 'node:util'
import { OvernightError } from '../errors.ts'
import type { Statements } from '../ledger/ledger.ts'
import type { Firing } from '../ledger/schema.ts'
import type { Occasion } from './occasion.ts'
import { sameInputs } from './overlap.ts'
import { pullIn } from './pull-subject.ts'

const keyOfCaller = /^(?:api|trial):/

class OtherRequest extends OvernightError {
  constructor(key: string, differs: string) {
    super(`the key ${JSON.stringify(key.replace(keyOfCaller, ''))} was used before with ${differs}`, {
      code: 'idempotency_mismatch',
      status: 422,
      hint: 'use a new Idempotency-Key for a new request',
    })
  }
}

/** A key that a caller made up stands for one request; the others are causes, which stay what they are. */
export async function refuseOther(tx: Statements, known: Firing, occasion: Occasion): Promise<void> {
  if (!keyOfCaller.test(occasion.key)) return
  if (await asksOtherInputs(tx, known, occasion)) throw new OtherRequest(occasion.key, 'other inputs')
  // What was removed can be compared with nothing.
  if (known.payloadRemovedAt === null && !isDeepStrictEqual(known.payload, occasion.payload ?? null))
    throw new OtherRequest(occasion.key, 'another payload')
  if (await isAboutAnother(tx, known, occasion)) throw new OtherRequest(occasion.key, 'another pull request')
  if (known.run !== null && (await tx.callbacks.urlOf(known.id)) !== occasion.callback)
    throw new OtherRequest(occasion.key, 'another callback')
}

/** A topic may have been edited since; a pull request is the one it was. */
async function isAboutAnother(tx: Statements, { run: id }: Firing, { subject }: Occasion): Promise<boolean> {
  const run = id === null ? undefined : await tx.runs.find(id)
  return run !== undefined && pullIn(run.subject) !== pullIn(subject)
}

/** What was left out, then or now, cannot be compared once another text is in force: the defaults may be others. */
async function asksOtherInputs(tx: Statements, known: Firing, { routine, inputs, given }: Occasion): Promise<boolean> {
  if (sameInputs(known.inputs, inputs)) return false
  const named = given ?? Object.keys(inputs)
  if (named.some((name) => !Object.is(known.inputs[name], inputs[name]))) return true
  const inForce = await tx.routines.find(routine.name)
  return inForce === undefined || inForce.appliedAt <= known.createdAt
}
