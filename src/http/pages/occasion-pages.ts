import { Hono, type MiddlewareHandler } from 'hono'
import { BadRequest } from '../../errors.ts'
import { placeIn } from '../../ledger/occasions.ts'
import { removalOf } from '../../triggers/forget.ts'
import { findDelivery, replay } from '../../triggers/replay.ts'
import { deliveryPage, type DeliveryView } from '../../ui/delivery.ts'
import { deliveryPath } from '../../ui/occasion-row.ts'
import { occasionsPage, type OccasionsView } from '../../ui/occasions.ts'
import { deliveryBody, shownBytes } from '../api/delivery-body.ts'
import type { Face } from '../face.ts'
import { isKey } from '../api/idempotency-key.ts'
import { OccasionsQuery, writePlace } from '../api/occasions-query.ts'
import { redactedHeaders } from '../redacted.ts'
import { clockOf } from './views.ts'

type Signed = { Variables: { actor: string } }

/** The list of everything that was due or came, and each event. */
export function occasionPages(face: Face, signed: MiddlewareHandler<Signed>) {
  const app = new Hono<Signed>()
  app.get('/occasions', signed, async (c) => c.html(occasionsPage(await occasionsView(face, c.req.query()))))
  app.get('/deliveries/:id', signed, async (c) => c.html(deliveryPage(await deliveryView(face, c.req.param('id')))))
  app.post('/deliveries/:id/replay', signed, async (c) => {
    const { key } = await c.req.parseBody()
    const wish = { delivery: c.req.param('id'), by: c.get('actor'), key: isKey(key) ? key : undefined }
    const { id } = await replay(face.ledger, wish)
    face.settle()
    return c.redirect(deliveryPath(id), 303)
  })
  return app
}

async function occasionsView(face: Face, asked: Record<string, string>): Promise<OccasionsView> {
  // A form sends what was not chosen as an empty text.
  const chosen = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ''))
  const query = OccasionsQuery.safeParse(chosen)
  if (!query.success) throw new BadRequest('this address is not one of a list', 'begin again at /occasions')
  const { routine = null, outcome = null, limit } = query.data
  const rows = await face.ledger.occasions.all(query.data)
  const last = rows.length === limit ? rows.at(-1) : undefined
  const routines = await face.ledger.routines.list()
  return {
    clock: await clockOf(face),
    rows,
    routine,
    outcome,
    routines: routines.map(({ name }) => name),
    older: last
      ? `/occasions?${new URLSearchParams({ ...chosen, before: writePlace(placeIn(last)) }).toString()}`
      : null,
  }
}

async function deliveryView(face: Face, id: string): Promise<DeliveryView> {
  const delivery = await findDelivery(face.ledger, id)
  const beginning = await face.ledger.occasions.bodyOf(delivery.id, shownBytes)
  return {
    clock: await clockOf(face),
    delivery,
    headers: redactedHeaders(delivery.headers),
    body: deliveryBody(beginning, delivery.bytes),
    removed: removalOf(delivery),
  }
}
