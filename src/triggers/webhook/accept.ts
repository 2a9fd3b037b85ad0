import { createHash } from 'node:crypto'
import { BadRequest, OvernightError, SetupError } from '../../errors.ts'
import type { NewDelivery } from '../../ledger/deliveries.ts'
import type { WebhookSource } from '../../routines/webhooks/source.ts'
import { firstText } from './places.ts'
import { readEvent, type ReadEvent } from './read-event.ts'
import { signedHash } from './signed.ts'
import { findForgery, findUnsigned } from './verify.ts'

export type Arrived = { headers: Readonly<Record<string, string>>; body: Buffer }
/** `sameWithin`: it has no name of its own, and the same body again within this time is taken for a second try. */
export type Accepted = { row: NewDelivery; sameWithin: { before: string } | null } | { challenge: string }

class Forged extends OvernightError {
  constructor(source: string, why: string) {
    super(`this is not accepted: ${why}`, {
      code: 'not_verified',
      status: 401,
      hint: `compare the secret at the sender with the one in webhooks/${source}.yaml`,
    })
  }
}

class WrongType extends OvernightError {
  constructor(why: string) {
    super(why, { code: 'unsupported_media_type', status: 415, hint: 'send JSON, a form or plain text' })
  }
}

/** A body without a name is the same delivery for so long: retries come within minutes, news that repeats itself later. */
export const sameForMs = 10 * 60_000
const longestName = 200
const longestHeader = 500

/** Throws what can be told before there is a body: whoever is refused for it sends none. */
export function requireProof(headers: Arrived['headers'], source: WebhookSource, secrets: readonly string[]): void {
  if (!secrets.some((secret) => secret !== '')) throw noSecret(source)
  const why = findUnsigned((name) => headers[name], source.ways)
  if (why !== undefined) throw new Forged(source.name, why)
}

/**
 * A request to `/hooks/<source>` as the row to be written. Who sent it is looked at before anything in it; throws what is wrong
 * with it, and never says what was in it. `secrets` are those the source names, as far as they are known.
 */
export function accept(
  { headers, body }: Arrived,
  source: WebhookSource,
  { secrets, now }: { secrets: readonly string[]; now: Date },
): Accepted {
  requireProof(headers, source, secrets)
  const header = (name: string) => headers[name]
  const why = findForgery({ header, body }, source.ways, { secrets, now })
  if (why !== undefined) throw new Forged(source.name, why)
  const read = readEvent({ headers, body })
  if ('unreadable' in read) {
    if (read.status === 415) throw new WrongType(read.unreadable)
    throw new BadRequest(`the body cannot be read: ${read.unreadable}`, 'send JSON, a form or plain text, in UTF-8')
  }
  const { event } = read
  if (source.challenges && event['type'] === 'url_verification' && typeof event['challenge'] === 'string')
    return { challenge: event['challenge'] }
  const name = nameOf(read, source, header)
  const hash = createHash('sha256').update(body).digest('hex')
  // Names may stand where nobody signed them.
  const signed = signedHash({ header, body }, source.ways)
  const window = Math.floor(now.getTime() / sameForMs)
  return {
    row: {
      source: source.name,
      key: name ?? `${hash}:${window}`,
      ...(signed === undefined ? {} : { signed }),
      event: clean(firstText(source.event, { header, event }) ?? 'event'),
      headers: keptHeaders(source, headers),
      body: read.isAsSent ? body : Buffer.from(JSON.stringify(event)),
    },
    sameWithin: name === undefined ? { before: `${hash}:${window - 1}` } : null,
  }
}

function nameOf(
  { event, isCloudEvent }: ReadEvent,
  source: WebhookSource,
  header: (name: string) => string | undefined,
): string | undefined {
  const named = firstText(source.id, { header, event })
  if (named !== undefined) return clean(named)
  const { source: from, id } = event
  return isCloudEvent && typeof from === 'string' && typeof id === 'string' ? clean(`${from} ${id}`) : undefined
}

function noSecret(source: WebhookSource): SetupError {
  const [name = 'NAME'] = source.secrets
  return new SetupError(
    `webhooks/${source.name}.yaml names a secret that is not there, so nothing is accepted`,
    `set OVERNIGHT_SECRET_${name}, or write it to the file secrets/${name} in the data folder`,
  )
}

/** Those that say something later: never a signature, a token or a cookie. */
function keptHeaders({ id, event, ways }: WebhookSource, headers: Arrived['headers']): Record<string, string> {
  const places = [...id, ...event].flatMap((place) => ('header' in place ? [place.header] : []))
  const secret = new Set(['authorization', 'cookie', ...ways.map((way) => way.header)])
  const isKept = (name: string) =>
    !secret.has(name) && (['content-type', 'user-agent', ...places].includes(name) || /^ce-[a-z0-9]{1,40}$/.test(name))
  const kept = Object.entries(headers).filter(([name]) => isKept(name))
  return Object.fromEntries(kept.slice(0, 40).map(([name, value]) => [name, value.slice(0, longestHeader)]))
}

/** A name as the ledger can keep it; one that is too long is told apart by its hash. */
export function clean(name: string): string {
  const text = name.toWellFormed().replaceAll('\0', '\uFFFD')
  if (text.length <= longestName) return text
  return `${text.slice(0, longestName - 70).toWellFormed()} ${createHash('sha256').update(text).digest('hex')}`
}
