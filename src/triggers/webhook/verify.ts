import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { HmacWay, Place, TokenWay, Way } from '../../routines/webhooks/source.ts'
import { textAt } from './places.ts'

export type Received = {
  /** The value of a header by its name in small letters. */
  header(name: string): string | undefined
  /** As it came: what is signed is bytes. */
  body: Buffer
}
type Proof = { secrets: readonly string[]; now: Date }

/** What is missing of a proof, as far as headers tell. */
export function findUnsigned(header: Received['header'], ways: readonly Way[]): string | undefined {
  if (ways.some((way) => header(way.header) !== undefined)) return undefined
  return `the header ${ways.map((way) => way.header).join(' or ')} is missing`
}

/**
 * Whether a delivery comes from somebody who knows a secret; the sentence says why not. Of the ways, the first whose header is
 * there decides. An empty secret is none, and without one nothing passes.
 */
export function findForgery(received: Received, ways: readonly Way[], { secrets, now }: Proof): string | undefined {
  const known = secrets.filter((secret) => secret !== '')
  if (known.length === 0) return 'there is no secret to check it with'
  const way = ways.find(({ header }) => received.header(header) !== undefined)
  if (!way) return findUnsigned(received.header, ways)
  if (way.kind === 'token') return isToken(received, way, known) ? undefined : `the header ${way.header} does not fit`
  return findBadSignature(received, way, { secrets: known, now })
}

function isToken({ header }: Received, way: TokenWay, secrets: readonly string[]): boolean {
  const given = header(way.header) ?? ''
  // Names of schemes such as Bearer are the same in any case (RFC 9110, 11.1).
  if (given.slice(0, way.prefix.length).toLowerCase() !== way.prefix.toLowerCase()) return false
  return secrets.some((secret) => isSame(given.slice(way.prefix.length), secret))
}

function findBadSignature(received: Received, way: HmacWay, { secrets, now }: Proof): string | undefined {
  const written = received.header(way.header) ?? ''
  const parts = (way.separator === null ? [written] : written.split(way.separator)).map((part) => part.trim())
  const stamp = stampOf(received, way, parts)
  const id = way.id === null ? '' : received.header(way.id)
  if (id === undefined) return `the header ${way.id} is missing`
  if (stamp === undefined) return 'nothing says when it was sent'
  const given = parts.flatMap((part) => (part.startsWith(way.prefix) ? part.slice(way.prefix.length) : []))
  const expected = secrets.flatMap((secret) => signatureOf(way, secret, { ts: stamp, id, body: received.body }) ?? [])
  if (!expected.some((wanted) => given.slice(0, maxSignatures).some((one) => isSame(one, wanted))))
    return 'the signature does not fit'
  return way.timestamp === null ? undefined : findStale(stamp, way.toleranceMs, now)
}

/** A header of signatures is as long as the sender likes. */
const maxSignatures = 20

/** '' where the way has none; undefined where it should be there and is not. */
function stampOf(received: Received, { timestamp }: HmacWay, parts: readonly string[]): string | undefined {
  if (timestamp === null) return ''
  if ('part' in timestamp) return parts.find((part) => part.startsWith(timestamp.part))?.slice(timestamp.part.length)
  return stampAt(received, timestamp)
}

function stampAt({ header, body }: Received, place: Place): string | undefined {
  if ('header' in place) return header(place.header)
  try {
    return textAt(JSON.parse(body.toString('utf8')), place.body)
  } catch {
    return undefined
  }
}

function signatureOf(
  { algorithm, encoding, key, signed }: HmacWay,
  secret: string,
  values: { ts: string; id: string; body: Buffer },
): string | undefined {
  const bytes = key === 'base64' ? Buffer.from(secret.replace(/^whsec_/, ''), 'base64') : Buffer.from(secret)
  if (bytes.length === 0) return undefined
  const hmac = createHmac(algorithm, bytes)
  for (const [index, part] of signed.split(/\{(ts|id|body)\}/).entries())
    hmac.update(index % 2 === 0 ? part : values[part as keyof typeof values])
  return hmac.digest(encoding)
}

/** Compared as they are written: several ways to write the same signature would let a copy pass as another. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

/** Seconds, or milliseconds where the number is too large for seconds of this millennium. */
function findStale(stamp: string, toleranceMs: number, now: Date): string | undefined {
  if (!/^\d{1,13}$/.test(stamp)) return 'the time it was sent is no whole number'
  const sent = Number(stamp) * (Number(stamp) > 1e11 ? 1 : 1000)
  if (Math.abs(now.getTime() - sent) <= toleranceMs) return undefined
  return `it was sent more than ${toleranceMs / 1000} s before or after now; see whether the clocks are right`
}
