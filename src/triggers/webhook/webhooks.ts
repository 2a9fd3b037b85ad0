import type { Delivery } from '../../ledger/schema.ts'
import type { Routine } from '../../routines/routine.ts'
import { payloadOf } from '../payload.ts'
import type { OutsideEvent, Source } from '../source.ts'
import { type Near, whyNobody } from '../why-nobody.ts'
import { isAbout, match } from './match.ts'

/**
 * Every source in `webhooks/`: what was received or found is read by itself, so that a file that is gone or broken meanwhile loses
 * nothing. The signature said who sent it; limits count the source as a sender.
 */
export const webhooks: Source = {
  trigger: 'webhook',
  listens: (routine) => routine.webhooks.length > 0,
  read: ({ id, source, event, body }: Delivery): OutsideEvent | { refused: string } => {
    const payload = payloadOf({ body })
    if (!payload) return { refused: 'the body is no JSON object' }
    const action = typeof payload['action'] === 'string' ? payload['action'].slice(0, 100) : null
    return { delivery: id, source, event, payload, action, sender: source, repository: null, subject: null }
  },
  decide: match,
  whyNobody: (event, routines) =>
    whyNobody(routines.flatMap((routine) => nearTo(event, routine))) ??
    `no routine with on.webhook names the source ${event.source}`,
}

function nearTo(event: OutsideEvent, { name: routine, webhooks }: Routine): Near[] {
  const triggers = webhooks.filter(({ source }) => source === event.source)
  if (triggers.length === 0) return []
  if (triggers.some((trigger) => isAbout(trigger, event))) return [{ routine, wants: null }]
  return [{ routine, wants: `events: ${triggers.flatMap(({ events }) => events ?? []).join(', ')}` }]
}
