import { Hono } from 'hono'
import { validator } from 'hono-openapi'
import { z } from 'zod'
import { Conflict } from '../../errors.ts'
import { messageStates } from '../../ledger/outbox.ts'
import type { OutboxRow } from '../../ledger/schema.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import { refuseInvalid } from '../refuse.ts'

const Message = z.object({
  id: z.string().describe('The webhook-id.'),
  kind: z.string(),
  state: z.enum(messageStates),
  url: z.string(),
  data: z.record(z.string(), z.unknown()),
  tries: z.number().int(),
  error: z.string().nullable().describe('Why the last try was of no use.'),
  nextTryAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  sentAt: z.iso.datetime().nullable(),
})
const Messages = z.object({ messages: z.array(Message) })
export type MessagesJson = z.infer<typeof Messages>

export const SigningSecret = z.object({
  secrets: z.array(z.string()).describe('`whsec_…`; a receiver needs one of them.'),
})

const Query = z.object({
  state: z.enum(messageStates).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

/** What we told, or have to tell, to addresses outside. */
export function messagesApi(face: Face) {
  const app = new Hono<{ Variables: { actor: string } }>()
  app.get(
    '/',
    describeJson(
      'Callbacks, alerts and plans of pull requests that were sent, are to be sent, or were given up; newest first',
      200,
      Messages,
    ),
    validator('query', Query, refuseInvalid),
    async (c) => c.json({ messages: (await face.ledger.outbox.list(c.req.valid('query'))).map(messageJson) }),
  )
  app.post(
    '/:id/send',
    describeJson('Sends a message again that was given up', 202, z.object({ id: z.string() })),
    async (c) => {
      const id = c.req.param('id')
      if (!(await face.ledger.outbox.again(id))) {
        throw new Conflict(
          `no message ${JSON.stringify(id)} was given up`,
          'GET /v1/messages?state=given_up lists them',
        )
      }
      await face.ledger.events.audit(c.get('actor'), 'message.send', id)
      return c.json({ id }, 202)
    },
  )
  return app
}

function messageJson(row: OutboxRow): z.infer<typeof Message> {
  const { id, kind, url, body, tries, error, notBefore, createdAt, sentAt, givenUpAt } = row
  const over = givenUpAt ? ('given_up' as const) : undefined
  const state = sentAt ? 'sent' : (over ?? 'owed')
  return {
    id,
    kind,
    state,
    url,
    data: body,
    tries,
    error,
    nextTryAt: state === 'owed' ? notBefore.toISOString() : null,
    createdAt: createdAt.toISOString(),
    sentAt: sentAt?.toISOString() ?? null,
  }
}
