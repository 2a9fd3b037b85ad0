import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { HmacWay, TokenWay, Way } from '../../routines/webhooks/source.ts'
import { signaturesIn, signedParts, valuesOf, wayOf, type Received, type SignedValues } from './signed.ts'

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
  const way = wayOf(received.header, ways)
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
  const { ts, id, body } = valuesOf(received, way)
  if (id === undefined) return `the header ${way.id} is missing`
  if (ts === undefined) return 'nothing says when it was sent'
  const given = signaturesIn(received, way).flatMap((part) =>
    part.startsWith(way.prefix) ? part.slice(way.prefix.length) : [],
  )
  const expected = secrets.flatMap((secret) => signatureOf(way, secret, { ts, id, body }) ?? [])
  if (!expected.some((wanted) => given.slice(0, maxSignatures).some((one) => isSame(one, wanted))))
    return 'the signature does not fit'
  return way.timestamp === null ? undefined : findStale(ts, way.toleranceMs, now)
}

/** A header of signatures is as long as the sender likes. */
const maxSignatures = 20

function signatureOf(way: HmacWay, secret: string, values: SignedValues): string | undefined {
  const { algorithm, encoding, key } = way
  const bytes = key === 'base64' ? Buffer.from(secret.replace(/^whsec_/, ''), 'base64') : Buffer.from(secret)
  if (bytes.length === 0) return undefined
  const hmac = createHmac(algorithm, bytes)
  for (const part of signedParts(way, values)) hmac.update(part)
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
