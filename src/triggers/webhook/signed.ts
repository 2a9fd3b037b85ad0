import { createHash } from 'node:crypto'
import type { HmacWay, Place, Way } from '../../routines/webhooks/source.ts'
import { textAt } from './places.ts'

export type Received = {
  /** The value of a header by its name in small letters. */
  header(name: string): string | undefined
  /** As it came: what is signed is bytes. */
  body: Buffer
}
/** The first whose header is there. */
export function wayOf(header: Received['header'], ways: readonly Way[]): Way | undefined {
  return ways.find((way) => header(way.header) !== undefined)
}

/**
 * A hash of what was signed, for a delivery that is no forgery: the same again is a copy of it. undefined where no time is signed: the
 * same may be said again then, years later.
 */
export function signedHash(received: Received, ways: readonly Way[]): string | undefined {
  const way = wayOf(received.header, ways)
  if (way?.kind !== 'hmac' || way.timestamp === null) return undefined
  const hash = createHash('sha256')
  for (const part of signedParts(way, valuesOf(received, way))) hash.update(part)
  return hash.digest('hex')
}

/** The header may hold several, and what else belongs to them. */
export function signaturesIn({ header }: Received, way: HmacWay): string[] {
  const written = header(way.header) ?? ''
  return (way.separator === null ? [written] : written.split(way.separator)).map((part) => part.trim())
}

/** '' where the way has none; undefined where it should be there and is not. */
export type SignedValues = { ts: string | undefined; id: string | undefined; body: Buffer }

export function valuesOf(received: Received, way: HmacWay): SignedValues {
  const id = way.id === null ? '' : received.header(way.id)
  return { ts: stampOf(received, way), id, body: received.body }
}

function stampOf(received: Received, way: HmacWay): string | undefined {
  const { timestamp } = way
  if (timestamp === null) return ''
  if (!('part' in timestamp)) return stampAt(received, timestamp)
  const part = signaturesIn(received, way).find((one) => one.startsWith(timestamp.part))
  return part?.slice(timestamp.part.length)
}

function stampAt({ header, body }: Received, place: Place): string | undefined {
  if ('header' in place) return header(place.header)
  try {
    return textAt(JSON.parse(body.toString('utf8')), place.body)
  } catch {
    return undefined
  }
}

/** One after the other they are what is signed. */
export function signedParts({ signed }: HmacWay, values: SignedValues): (string | Buffer)[] {
  return signed
    .split(/\{(ts|id|body)\}/)
    .map((part, index) => (index % 2 === 0 ? part : (values[part as keyof SignedValues] ?? '')))
}
