/**
 * The name that a TLS client asks for, read from the first bytes it sends (RFC 8446, 4.1.2; RFC 6066, 3). `more`: it has not said
 * all of it yet. A greeting in several records is refused: no client of today makes one, and what reads it elsewhere may not put it together.
 */
export type Greeting = { name: string } | 'more' | { refused: string }

const noTls: Greeting = { refused: 'something other than TLS' }
const broken: Greeting = { refused: 'a TLS greeting that cannot be read' }
/** RFC 8446, 5.1: a record holds 2^14 bytes. */
const mostRecord = 16_384
const [recordHead, handshakeHead] = [5, 4]
const [ofHandshake, ofTls, ofClientHello, ofServerName, ofHostName] = [22, 3, 1, 0, 0]

export function readGreeting(bytes: Buffer): Greeting {
  const record = firstRecord(bytes)
  if (!Buffer.isBuffer(record)) return record
  if (record.readUIntBE(1, 3) !== record.length - handshakeHead) return broken
  try {
    return named(record.subarray(handshakeHead))
  } catch {
    return broken
  }
}

function firstRecord(bytes: Buffer): Buffer | Greeting {
  const [kind = ofHandshake, version = ofTls] = bytes
  if (kind !== ofHandshake || version !== ofTls) return noTls
  if (bytes.length < recordHead) return 'more'
  const length = bytes.readUInt16BE(3)
  if (length < handshakeHead || length > mostRecord) return broken
  if ((bytes[recordHead] ?? ofClientHello) !== ofClientHello) return broken
  return bytes.length < recordHead + length ? 'more' : bytes.subarray(recordHead, recordHead + length)
}

/** A reader that throws where there is less than was promised. */
function createReader(bytes: Buffer) {
  let at = 0
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('cut off')
    at += length
    return bytes.subarray(at - length, at)
  }
  const number = (size: 1 | 2) => take(size).readUIntBE(0, size)
  return { take, number, block: (size: 1 | 2) => take(number(size)), isAtEnd: () => at === bytes.length }
}

function named(hello: Buffer): Greeting {
  const reader = createReader(hello)
  const [versionAndRandom, session, suites, compressions] = [34, 1, 2, 1] as const
  reader.take(versionAndRandom)
  reader.block(session)
  reader.block(suites)
  reader.block(compressions)
  if (reader.isAtEnd()) return { refused: 'a TLS greeting without a name' }
  const extensions = createReader(reader.block(2))
  if (!reader.isAtEnd()) return broken
  const names: string[] = []
  while (!extensions.isAtEnd()) {
    const kind = extensions.number(2)
    const data = extensions.block(2)
    if (kind === ofServerName) names.push(...namesIn(data))
  }
  const [name, ...others] = names
  if (name === undefined) return { refused: 'a TLS greeting without a name' }
  return others.length === 0 ? { name } : { refused: 'a TLS greeting with several names' }
}

function namesIn(data: Buffer): string[] {
  const outer = createReader(data)
  const list = createReader(outer.block(2))
  if (!outer.isAtEnd()) throw new RangeError('something follows the names')
  const names: string[] = []
  while (!list.isAtEnd()) {
    if (list.number(1) !== ofHostName) throw new RangeError('a name of an unknown kind')
    names.push(list.block(2).toString('latin1'))
  }
  return names
}
