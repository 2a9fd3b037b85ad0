import { Hono } from 'hono'
import { validator } from 'hono-openapi'
import { z } from 'zod'
import { alertFacts } from '../../ledger/alerts.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import { refuseInvalid } from '../refuse.ts'

const Alerts = z.object({
  alerts: z.array(
    z.object({
      id: z.number().int(),
      kind: z.enum(['slot_unrecorded', 'run_not_started', 'routine_paused', 'followers_not_fired']),
      routine: z.string().nullable(),
      message: z.string(),
      raisedAt: z.iso.datetime(),
      clearedAt: z.iso.datetime().nullable().describe('When it was made good; null = it is open.'),
    }),
  ),
})
export type AlertsJson = z.infer<typeof Alerts>
const Query = z.object({
  all: z.enum(['yes', 'no']).default('no').describe('yes: those that were made good, too.'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})

export function alertsApi(face: Face) {
  const app = new Hono<{ Variables: { actor: string } }>()
  app.get(
    '/',
    describeJson('What should have happened and did not, newest first', 200, Alerts),
    validator('query', Query, refuseInvalid),
    async (c) => {
      const { all, limit } = c.req.valid('query')
      const { alerts } = face.ledger
      const rows = await (all === 'yes' ? alerts.list(limit) : alerts.open(limit))
      return c.json({ alerts: rows.map(alertFacts) } satisfies AlertsJson)
    },
  )
  return app
}
