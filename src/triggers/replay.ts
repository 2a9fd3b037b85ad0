import { BadRequest, Conflict, NotFound } from '../errors.ts'
import type { Received } from '../ledger/deliveries.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { DeliveryRow } from '../ledger/occasions.ts'
import { removalOf } from './forget.ts'

/** A delivery by its id, or the beginning of it. */
export async function findDelivery(ledger: Ledger, id: string): Promise<DeliveryRow> {
  const found = await ledger.occasions.startingWith(id)
  if (found.length === 0) throw new NotFound('delivery', id, '`overnight deliveries` lists them')
  if (found.length > 1)
    throw new BadRequest(`more than one delivery begins with ${JSON.stringify(id)}`, 'write more of the id')
  return found[0]!
}

/** `key`: the same one is the same replay, for ever; undefined = one more. */
export type Replay = { delivery: string; by: string; key?: string | undefined }

/** A person wants it again: a delivery of its own with the same headers and body, so that it is settled as a new one is. */
export async function replay(ledger: Ledger, wish: Replay): Promise<Received> {
  const { id } = await findDelivery(ledger, wish.delivery)
  return ledger.transaction(async (tx) => {
    await tx.oneAtATime(`replay:${id}`)
    const first = await tx.deliveries.find(id)
    if (!first) throw new NotFound('delivery', id)
    const removal = removalOf(first)
    if (removal !== null)
      throw new Conflict(`delivery ${id} cannot be replayed: ${removal}`, 'ask its sender to send it again')
    const { source, event, headers, body } = first
    const which = wish.key === undefined ? String((await tx.occasions.replaysOf(id)) + 1) : `key:${wish.key}`
    const again = await tx.deliveries.receive({
      source,
      event,
      headers,
      body,
      key: `replay:${id}:${which}`,
      replayOf: id,
    })
    if (again.fresh)
      await tx.events.auditWith({ actor: wish.by, action: 'replay', subject: id, data: { as: again.id } })
    return again
  })
}
