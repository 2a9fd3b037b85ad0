import type { HmacWay, Place, Sender, TokenWay } from './source.ts'

const body = (path: string): Place => ({ body: path.split('.') })
const header = (name: string): Place => ({ header: name.toLowerCase() })

/** The commonest scheme: one signature, over the body alone, in hex. */
export const plainHmac: HmacWay = {
  kind: 'hmac',
  header: 'x-signature',
  separator: null,
  prefix: '',
  algorithm: 'sha256',
  encoding: 'hex',
  key: 'text',
  signed: '{body}',
  timestamp: null,
  id: null,
  toleranceMs: 5 * 60_000,
}
const hmac = (own: Partial<HmacWay>): HmacWay => ({ ...plainHmac, ...own })
export const bearer: TokenWay = { kind: 'token', header: 'authorization', prefix: 'Bearer ' }

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md; Svix has names of its own. */
const standard: readonly HmacWay[] = ['webhook', 'svix'].map((name) =>
  hmac({
    header: `${name}-signature`,
    separator: ' ',
    prefix: 'v1,',
    encoding: 'base64',
    key: 'base64',
    signed: '{id}.{ts}.{body}',
    timestamp: header(`${name}-timestamp`),
    id: `${name}-id`,
  }),
)

const unknown = { acknowledge: 202, challenges: false, id: [], event: [] } as const
/** Anybody: a Standard Webhook says itself what it is called; a CloudEvent does, too, and is read as one. */
export const anybody: Omit<Sender, 'ways'> = {
  ...unknown,
  id: [header('webhook-id'), header('svix-id')],
  event: [body('type'), body('event')],
}

/** `verify: <name>`. Senders that take only 200 for success say so in their documentation: Slack for commands, Linear for all. */
export const senders = {
  standard: { ...anybody, ways: standard },
  github: {
    ...unknown,
    ways: [hmac({ header: 'x-hub-signature-256', prefix: 'sha256=' })],
    id: [header('X-GitHub-Delivery')],
    event: [header('X-GitHub-Event')],
  },
  gitlab: {
    ...unknown,
    ways: [...standard, { kind: 'token', header: 'x-gitlab-token', prefix: '' }],
    id: [header('webhook-id'), header('Idempotency-Key')],
    event: [body('object_kind'), body('event_name'), header('X-Gitlab-Event')],
  },
  gitea: {
    ...unknown,
    ways: [hmac({ header: 'x-gitea-signature' }), hmac({ header: 'x-forgejo-signature' })],
    id: [header('X-Gitea-Delivery'), header('X-Forgejo-Delivery')],
    event: [header('X-Gitea-Event'), header('X-Forgejo-Event')],
  },
  slack: {
    ways: [
      hmac({
        header: 'x-slack-signature',
        prefix: 'v0=',
        signed: 'v0:{ts}:{body}',
        timestamp: header('X-Slack-Request-Timestamp'),
      }),
    ],
    id: [body('event_id'), body('trigger_id')],
    event: [body('event.type'), body('command'), body('type')],
    acknowledge: 200,
    challenges: true,
  },
  stripe: {
    ...unknown,
    ways: [
      hmac({
        header: 'stripe-signature',
        separator: ',',
        prefix: 'v1=',
        signed: '{ts}.{body}',
        timestamp: { part: 't=' },
      }),
    ],
    id: [body('id')],
    event: [body('type')],
  },
  linear: {
    ...unknown,
    ways: [hmac({ header: 'linear-signature', timestamp: body('webhookTimestamp'), toleranceMs: 60_000 })],
    id: [header('Linear-Delivery')],
    event: [header('Linear-Event'), body('type')],
    acknowledge: 200,
  },
  sentry: {
    ...unknown,
    ways: [hmac({ header: 'sentry-hook-signature' })],
    id: [header('Request-ID')],
    event: [header('Sentry-Hook-Resource')],
  },
  pagerduty: {
    ...unknown,
    ways: [hmac({ header: 'x-pagerduty-signature', separator: ',', prefix: 'v1=' })],
    id: [body('event.id'), header('X-Webhook-Id')],
    event: [body('event.event_type')],
  },
  // These two repeat what still burns, word for word, hours later: no name of theirs tells that from a second try.
  alertmanager: { ...unknown, ways: [bearer], event: [body('status')] },
  grafana: { ...unknown, ways: [bearer], event: [body('status')] },
} as const satisfies Record<string, Sender>
export type SenderName = keyof typeof senders
