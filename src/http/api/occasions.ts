import { Hono } from 'hono'
import { validator } from 'hono-openapi'
import { z } from 'zod'
import { findDelivery, replay } from '../../triggers/replay.ts'
import { deliveryBody, shownBytes } from './delivery-body.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import {
  DeliveryJson,
  deliveryJson,
  DeliveryWholeJson,
  deliveryWholeJson,
  SlotJson,
  slotJson,
} from './occasion-json.ts'
import { DeliveriesQuery, nextOf, OccasionsQuery } from './occasions-query.ts'
import { refuseInvalid } from '../refuse.ts'

const next = z
  .string()
  .nullable()
  .describe('What to hand back as `before` for the next page; null = this is the last one.')
const Replayed = z.object({
  delivery: z.string().describe('The new one.'),
  fresh: z.boolean().describe('false: it was asked for before, with the same Idempotency-Key.'),
  links: z.object({ delivery: z.string() }),
})
export type ReplayedJson = z.infer<typeof Replayed>

/** Below `/v1`: every slot and every event on record. */
export function occasionsApi(face: Face) {
  const app = new Hono<{ Variables: { actor: string } }>()
  const { occasions } = face.ledger

  app.get(
    '/deliveries',
    describeJson(
      'Received events and what became of each, newest first',
      200,
      z.object({ deliveries: z.array(DeliveryJson), next }),
    ),
    validator('query', DeliveriesQuery, refuseInvalid),
    async (c) => {
      const query = c.req.valid('query')
      const rows = await occasions.deliveries(query)
      return c.json({ deliveries: rows.map(deliveryJson), next: nextOf(rows, query.limit) })
    },
  )

  app.get('/deliveries/:id', describeJson('One event, with headers and body', 200, DeliveryWholeJson), async (c) => {
    const row = await findDelivery(face.ledger, c.req.param('id'))
    const beginning = await occasions.bodyOf(row.id, shownBytes)
    return c.json(deliveryWholeJson(row, deliveryBody(beginning, row.bytes)))
  })

  app.post(
    '/deliveries/:id/replay',
    describeJson(
      'The same event again, as an occasion of its own; the same Idempotency-Key is the same replay',
      202,
      Replayed,
    ),
    async (c) => {
      const key = readIdempotencyKey(c)
      const { id, fresh } = await replay(face.ledger, { delivery: c.req.param('id'), by: c.get('actor'), key })
      face.settle()
      return c.json({ delivery: id, fresh, links: { delivery: `/v1/deliveries/${id}` } }, 202)
    },
  )

  app.get(
    '/slots',
    describeJson(
      'Due instants of schedules and what became of each, newest first',
      200,
      z.object({ slots: z.array(SlotJson), next }),
    ),
    validator('query', OccasionsQuery, refuseInvalid),
    async (c) => {
      const query = c.req.valid('query')
      const rows = await occasions.slots(query)
      return c.json({ slots: rows.map(slotJson), next: nextOf(rows, query.limit) })
    },
  )
  return app
}
