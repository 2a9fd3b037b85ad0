import { Hono } from 'hono'
import { acceptFromGitHub, readHead, type WebhookSecrets } from '../../triggers/github/accept.ts'
import type { Receiver } from '../../triggers/receive-deliveries.ts'
import { createBodyReader } from './raw-body.ts'

/** GitHub sends nothing larger. https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap */
const maxBytes = 25 * 1024 * 1024

/** `POST /hooks/github`: verified, read, one row; answered once that is on disk. What it makes due is found out after. */
export function gitHubHook({ receiver, secrets }: { receiver: Receiver; secrets: WebhookSecrets }): Hono {
  const app = new Hono()
  const readBody = createBodyReader(maxBytes)
  app.post('/', async (c) => {
    readHead(c.req.header(), secrets)
    const body = await readBody(c)
    const row = await acceptFromGitHub({ headers: c.req.header(), body }, secrets)
    const { id } = await receiver.receive(row)
    return c.json({ delivery: id }, row.event === 'ping' ? 200 : 202)
  })
  return app
}
