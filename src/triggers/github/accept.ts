import { verifyWithFallback } from '@octokit/webhooks-methods'
import { BadRequest, OvernightError, SetupError } from '../../errors.ts'
import type { NewDelivery } from '../../ledger/deliveries.ts'

/** The present secret, and while it is being changed the one before. */
export type WebhookSecrets = { current: string | undefined; old: string | undefined }
export type Arrived = { headers: Record<string, string>; body: Buffer }

class WrongSignature extends OvernightError {
  constructor() {
    super('the signature does not fit the body', {
      code: 'wrong_signature',
      status: 401,
      hint: 'write the same secret in the webhook settings at GitHub and in OVERNIGHT_GITHUB_WEBHOOK_SECRET',
    })
  }
}

class WrongType extends OvernightError {
  constructor(said: string) {
    super(`${said} is not taken`, {
      code: 'unsupported_media_type',
      status: 415,
      hint: 'choose the content type application/json in the webhook settings at GitHub',
    })
  }
}

/** Those that say something when somebody looks later; the signature is no longer of use. */
const kept = [
  'content-type',
  'user-agent',
  'x-github-delivery',
  'x-github-event',
  'x-github-hook-id',
  'x-github-hook-installation-target-id',
  'x-github-hook-installation-target-type',
  'x-github-enterprise-host',
]
const rules = {
  'x-github-event': /^[a-z][a-z0-9_]{0,63}$/,
  'x-github-delivery': /^[A-Za-z0-9-]{1,64}$/,
  'x-hub-signature-256': /^./,
}

/** What can be told before there is a body: whoever is refused for it sends none. */
export function readHead(headers: Record<string, string>, secrets: WebhookSecrets): Head {
  if (secrets.current === undefined) {
    throw new SetupError(
      'no secret for webhooks of GitHub is set, so none is accepted',
      'set OVERNIGHT_GITHUB_WEBHOOK_SECRET, write the same at GitHub, and start the service again',
    )
  }
  return { ...readHeaders(headers), secret: secrets.current, old: secrets.old === undefined ? [] : [secrets.old] }
}
type Head = { event: string; delivery: string; signature: string; secret: string; old: string[] }

/**
 * A request that says it is GitHub's, as the row to be written; throws what is wrong with it. The signature is of the raw bytes and is
 * looked at before anything in them. https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
export async function acceptFromGitHub({ headers, body }: Arrived, secrets: WebhookSecrets): Promise<NewDelivery> {
  const headed = readHead(headers, secrets)
  const text = body.toString('utf8')
  // A body of no bytes has no signature either.
  if (text === '' || !(await verifyWithFallback(headed.secret, text, headed.signature, headed.old)))
    throw new WrongSignature()
  requireObject(text)
  const isPing = headed.event === 'ping'
  return {
    source: 'github',
    key: headed.delivery,
    event: headed.event,
    headers: Object.fromEntries(kept.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]))),
    body,
    ...(isPing ? { outcome: 'unmatched' as const, reason: 'GitHub asked whether the webhook works, and it does' } : {}),
  }
}

function readHeaders(headers: Record<string, string>) {
  for (const [name, rule] of Object.entries(rules)) {
    if (headers[name] === undefined) throw new BadRequest(`the header ${name} is missing`, 'only GitHub sends here')
    if (!rule.test(headers[name])) throw new BadRequest(`the header ${name} cannot be read`, 'only GitHub sends here')
  }
  const type = headers['content-type'] ?? 'a body without a type'
  if (!/^application\/json\s*(;|$)/i.test(type)) throw new WrongType(type)
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') throw new WrongType(`content-encoding ${encoding}`)
  return {
    event: headers['x-github-event']!,
    delivery: headers['x-github-delivery']!,
    signature: headers['x-hub-signature-256']!,
  }
}

function requireObject(text: string): void {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return
  } catch {
    // Said below.
  }
  throw new BadRequest('the body is not a JSON object', 'choose application/json in the webhook settings at GitHub')
}
