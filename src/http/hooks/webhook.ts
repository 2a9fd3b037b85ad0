import { Hono } from 'hono'
import { NotFound, OvernightError } from '../../errors.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { WebhookSource } from '../../routines/webhooks/source.ts'
import type { SourcesSnapshot } from '../../routines/webhooks/sources.ts'
import type { Receiver } from '../../triggers/receive-deliveries.ts'
import { accept, requireProof, sameForMs } from '../../triggers/webhook/accept.ts'
import { createBodyReader } from './raw-body.ts'

/** Much more than any of the senders we know sends. */
const maxBytes = 5 * 1024 * 1024

/** The sources in `webhooks/`, as they are in force now. */
export type WebhookDesk = {
  /** `broken`: its file is, and no good version of it is known here. */
  find(name: string): WebhookSource | 'broken' | undefined
  /** Those of its secrets that are there, the newer first. */
  secretsOf(source: WebhookSource): Promise<string[]>
  snapshot(): SourcesSnapshot
}
export type WebhookHookOptions = {
  desk: Pick<WebhookDesk, 'find' | 'secretsOf'>
  receiver: Receiver
  deliveries: Pick<Ledger['deliveries'], 'heardOf'>
  now?: () => Date
}

class Broken extends OvernightError {
  constructor(name: string) {
    super('this source is not ready', {
      code: 'not_ready',
      status: 503,
      retryable: true,
      hint: `correct webhooks/${name}.yaml: \`overnight check\` says where`,
    })
  }
}

/** `POST /hooks/<source>`: verified, read, one row; answered once that is on disk. What it makes due is found out after. */
export function webhookHooks({ desk, receiver, deliveries, now = () => new Date() }: WebhookHookOptions): Hono {
  const app = new Hono()
  const readBody = createBodyReader(maxBytes)
  app.post('/:source', async (c) => {
    const name = c.req.param('source')
    const source = desk.find(name)
    if (source === 'broken') throw new Broken(name)
    if (!source || source.ways.length === 0)
      throw new NotFound('webhook source', name, 'a source is a file in webhooks/ with verify: and secret:')
    const secrets = await desk.secretsOf(source)
    requireProof(c.req.header(), source, secrets)
    const body = await readBody(c)
    const accepted = accept({ headers: c.req.header(), body }, source, { secrets, now: now() })
    if ('challenge' in accepted) return c.json({ challenge: accepted.challenge })
    const { row, sameWithin } = accepted
    const known = sameWithin && (await deliveries.heardOf(source.name, sameWithin.before, sameForMs))
    const id = known ?? (await receiver.receive(row)).id
    // Such senders may show what they are answered to people.
    return source.acknowledge === 200 ? c.body(null, 200) : c.json({ delivery: id }, 202)
  })
  return app
}
