import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { connect, type ConnectionOptions } from 'node:tls'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readGreeting } from '../../../src/relay/egress/client-hello.ts'

/** What a real client says first. */
async function greet(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect({ ...options, host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  client.on('error', () => undefined)
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return bytes
}
const real = await greet({ servername: 'registry.example' })
const nameless = await greet({})

/** A greeting of our own: extensions as they are given. */
function greeting(extensions: Buffer[], { type = 1, tail = Buffer.alloc(0) } = {}): Buffer {
  const all = Buffer.concat(extensions)
  const body = Buffer.concat([Buffer.alloc(34), Buffer.from([0, 0, 2, 0x13, 1, 1, 0]), sized(all), tail])
  const handshake = Buffer.concat([Buffer.from([type, 0, body.length >> 8, body.length & 255]), body])
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(handshake)])
}
function sized(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
}
const extension = (kind: number, data: Buffer) => Buffer.concat([Buffer.from([kind >> 8, kind & 255]), sized(data)])
const named = (...names: string[]) =>
  extension(0, sized(Buffer.concat(names.map((name) => Buffer.concat([Buffer.from([0]), sized(Buffer.from(name))])))))

describe('the name in a TLS greeting', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('of a real client with %s', async (version) => {
    const bytes = await greet({ servername: 'Registry.example', minVersion: version, maxVersion: version })
    expect(readGreeting(bytes)).toEqual({ name: 'Registry.example' })
  })

  test('in pieces of every size: more, until it is whole; what follows does not matter', () => {
    for (let length = 0; length < real.length; length += 1) expect(readGreeting(real.subarray(0, length))).toBe('more')
    expect(readGreeting(Buffer.concat([real, Buffer.from('and more')]))).toEqual({ name: 'registry.example' })
  })

  test.each<[string, Buffer, RegExp]>([
    ['nobody', nameless, /without a name/],
    ['no extensions at all', greetingWithout(), /without a name/],
    ['other extensions', greeting([extension(16, Buffer.from('x'))]), /without a name/],
    ['two names in one list', greeting([named('a.example', 'b.example')]), /several names/],
    ['two lists', greeting([named('a.example'), named('b.example')]), /several names/],
    ['an empty list', greeting([extension(0, sized(Buffer.alloc(0)))]), /without a name/],
    ['a name of another kind', greeting([extension(0, sized(Buffer.from([1, 0, 1, 97])))]), /cannot be read/],
    [
      'more behind the list',
      greeting([extension(0, Buffer.concat([sized(Buffer.from([0, 0, 1, 97])), Buffer.from('x')]))]),
      /cannot be read/,
    ],
    ['more behind the extensions', greeting([named('a.example')], { tail: Buffer.from('x') }), /cannot be read/],
    ['another handshake message', greeting([named('a.example')], { type: 2 }), /cannot be read/],
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\n'), /other than TLS/],
    ['SSH', Buffer.from('SSH-2.0-x\r\n'), /other than TLS/],
    ['SSL 2', Buffer.from([0x80, 0x2e, 1, 0, 2]), /other than TLS/],
    ['a record of nothing', Buffer.from([22, 3, 1, 0, 0]), /cannot be read/],
    ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1]), /cannot be read/],
    ['a message cut over two records', inTwoRecords(real), /cannot be read/],
  ])('%s', (_what, bytes, why) => {
    expect(readGreeting(bytes)).toEqual({ refused: expect.stringMatching(why) as string })
  })

  test('whatever the bytes are, it is decided within one record, and a name is only what stands there', () => {
    const changed = fc
      .tuple(fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(20))
      .map(([changes, more]) => {
        const bytes = Buffer.concat([real, Buffer.alloc(more)])
        for (const [at, value] of changes) bytes[at] = value
        return bytes
      })
    const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.oneof(changed, anything), (bytes) => {
        const read = readGreeting(bytes)
        const name = read !== 'more' && 'name' in read ? read.name : ''
        expect(bytes.includes(Buffer.from(name, 'latin1'))).toBe(true)
        expect(readGreeting(Buffer.concat([bytes, Buffer.alloc(16_400)]))).not.toBe('more')
      }),
      { numRuns: 3000 },
    )
  })
})

function greetingWithout(): Buffer {
  const body = Buffer.concat([Buffer.alloc(34), Buffer.from([0, 0, 2, 0x13, 1, 1, 0])])
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(Buffer.concat([Buffer.from([1, 0, 0, body.length]), body]))])
}

function inTwoRecords(bytes: Buffer): Buffer {
  const message = bytes.subarray(5)
  const record = (part: Buffer) => Buffer.concat([Buffer.from([22, 3, 1]), sized(part)])
  return Buffer.concat([record(message.subarray(0, 60)), record(message.subarray(60))])
}
