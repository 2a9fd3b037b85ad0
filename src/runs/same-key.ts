import { isDeepStrictEqual } from 'node:util'
import { OvernightError } from '../errors.ts'
import type { Statements } from '../ledger/ledger.ts'
import type { Firing } from '../ledger/schema.ts'
import type { Occasion } from './occasion.ts'
import { sameInputs } from './overlap.ts'

class OtherRequest extends OvernightError {
  constructor(key: string, differs: string) {
    super(`the key ${JSON.stringify(key.replace(/^api:/, ''))} was used before with ${differs}`, {
      code: 'idempotency_mismatch',
      status: 422,
      hint: 'use a new Idempotency-Key for a new request',
    })
  }
}

/** A key that a caller made up stands for one request; the others are causes that cannot differ. */
export async function refuseOther(tx: Statements, known: Firing, occasion: Occasion): Promise<void> {
  if (!sameInputs(known.inputs, occasion.inputs)) throw new OtherRequest(occasion.key, 'other inputs')
  if (!occasion.key.startsWith('api:')) return
  // What was removed can be compared with nothing.
  if (known.payloadRemovedAt === null && !isDeepStrictEqual(known.payload, occasion.payload ?? null))
    throw new OtherRequest(occasion.key, 'another payload')
  if (known.run !== null && (await tx.callbacks.urlOf(known.id)) !== occasion.callback)
    throw new OtherRequest(occasion.key, 'another callback')
}
