import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect as connectPlain, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectSecure, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openRelay, type Relay, type RelayOptions } from '../../../src/relay/relay.ts'
import { openTlsSite, type TlsSite } from '../../support/tls-site.ts'

const names = ['allowed.example', 'other.example']
let site: TlsSite
beforeAll(async () => {
  site = await openTlsSite(names, (request, response) => {
    void text(request).then((body) => response.end(`${request.url} got ${body.length}`))
  })
})
afterAll(() => site[Symbol.asyncDispose]())

async function open(more: Partial<RelayOptions> = {}) {
  const told: string[] = []
  const relay = await openRelay({
    run: 'run-1',
    hosts: new Set(['allowed.example']),
    dial: site.dial(),
    tell: (text) => told.push(text),
    ...more,
  })
  const before = site.connections.length
  onTestFinished(() => relay[Symbol.asyncDispose]())
  return { relay, told, reached: () => site.connections.length - before }
}

const credential = (token: string) => `Proxy-Authorization: Basic ${Buffer.from(`run:${token}`).toString('base64')}\r\n`

/** Says `first` to the relay; answers the socket and the head of what came back, or all of it when it hung up. */
async function say(relay: Relay, first: string): Promise<{ socket: Socket; said: string }> {
  const socket = connectPlain(relay.socket)
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  socket.write(first, 'latin1')
  let said = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    said += chunk.toString('utf8')
    if (said.startsWith('HTTP/1.1 200') && said.includes('\r\n\r\n')) break
  }
  return { socket, said }
}
const connectTo = (relay: Relay, to: string, token = relay.token) =>
  say(relay, `CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n${credential(token)}\r\n`)

/** TLS over what leads there. */
function secure(socket: Socket, servername: string): TLSSocket {
  const tls = connectSecure({ socket, servername, ca: readFileSync(site.certificate) })
  tls.on('error', () => undefined)
  return tls
}

/** However it ends. */
function closed(stream: Socket): Promise<unknown> {
  stream.resume()
  return new Promise((resolve) => stream.once('close', resolve))
}

describe('a host of the routine', () => {
  test('is reached over TLS, and stands on the timeline once, with its bytes', async () => {
    const { relay, told } = await open()
    const { socket, said } = await connectTo(relay, 'allowed.example:443')
    expect(said).toMatch(/^HTTP\/1\.1 200 /)
    const tls = secure(socket, 'allowed.example')
    tls.write('POST /x HTTP/1.1\r\nHost: allowed.example\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello')
    expect(await text(tls)).toMatch(/\/x got 5/)
    await relay[Symbol.asyncDispose]()
    expect(told).toEqual([
      expect.stringMatching(/^network: allowed\.example, one connection, [\d.]+ k?B received, [\d.]+ k?B sent$/),
    ])
  })

  test('its name is resolved once, and what it means later changes nothing', async () => {
    const dial = site.dial([['127.0.0.1'], ['10.0.0.1']])
    const { relay, told } = await open({ dial })
    const { socket } = await connectTo(relay, 'allowed.example:443')
    await once(secure(socket, 'allowed.example'), 'secureConnect')
    expect(dial.asked).toEqual(['allowed.example'])
    expect((await connectTo(relay, 'allowed.example:443')).said).toMatch(/^HTTP\/1\.1 403 .*not at a public address/s)
    expect(told).toContain('network: refused allowed.example: it is not at a public address')
  })

  test.each([
    ['private', ['10.0.0.1']],
    ['loopback', ['127.0.0.2']],
    ['loopback beside a public one', ['127.0.0.1', '127.0.0.2']],
    ['link-local', ['169.254.169.254']],
    ['shared', ['100.64.0.1']],
    ['multicast', ['224.0.0.1']],
    ['IPv4 in IPv6', ['::ffff:10.0.0.1']],
    ['unique local', ['fd00:ec2::254']],
    ['translated', ['64:ff9b::a00:1']],
  ])('that is at a %s address is refused, also where all is open', async (_what, addresses) => {
    const { relay, reached } = await open({ hosts: 'open', dial: site.dial([addresses]) })
    expect((await connectTo(relay, 'any.example:443')).said).toMatch(/^HTTP\/1\.1 403 .*not at a public address/s)
    expect(reached()).toBe(0)
  })

  test.each([
    ['a routine that lists it', new Set(['allowed.example']), true],
    ['open', 'open', false],
  ] as const)('is named by %s: %s', async (_what, hosts, isNamed) => {
    const asked: unknown[] = []
    const { relay } = await open({ hosts, dial: async (to) => Promise.reject(new Error(String(asked.push(to)))) })
    await connectTo(relay, 'Allowed.example:443')
    expect(asked).toEqual([{ host: 'allowed.example', port: 443, isNamed }])
  })

  test('that cannot be reached is 502, with why', async () => {
    const { relay, told } = await open({ dial: site.dial([[]]) })
    expect((await connectTo(relay, 'allowed.example:443')).said).toMatch(/^HTTP\/1\.1 502 /)
    expect(told[0]).toMatch(
      /^network: refused allowed\.example: it could not be reached \(allowed\.example gave no answer/,
    )
  })
})

describe('what is refused', () => {
  test.each([
    ['a host that is not listed', 'evil.example:443', /403 .*evil\.example is not in the network of this routine/s],
    ['one that begins like it', 'allowed.example.evil.example:443', /403 .*not in the network/s],
    ['port 80', 'allowed.example:80', /403 .*port 443/s],
    ['port 22', 'allowed.example:22', /403 .*port 443/s],
    ['an address', '127.0.0.1:443', /403 .*not the name of a host/s],
    ['an IPv6 address', '[::1]:443', /403 /s],
    ['a dot at the end', 'allowed.example.:443', /403 .*not the name of a host/s],
    ['a NUL', 'allowed.example\0.evil.example:443', /^HTTP\/1\.1 40[03] /s],
    ['letters that look alike', 'аllowed.example:443', /^HTTP\/1\.1 40[03] /s],
  ])('%s', async (_what, to, answer) => {
    const { relay, told, reached } = await open()
    expect((await connectTo(relay, to)).said).toMatch(answer)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/^network: refused [\x20-\x7e]+$/)
    expect(reached()).toBe(0)
  })

  test('whatever there is, where a routine has no network', async () => {
    const { relay } = await open({ hosts: new Set() })
    expect((await connectTo(relay, 'allowed.example:443')).said).toMatch(/403 .*this run has no network/s)
  })

  test('plain HTTP, with what to write', async () => {
    const { relay, told } = await open()
    const { said } = await say(relay, `GET http://allowed.example/secret?x HTTP/1.1\r\nHost: allowed.example\r\n\r\n`)
    expect(said).toMatch(/^HTTP\/1\.1 403 .*write https:\/\/ in place of http:\/\//s)
    expect(told).toEqual(['network: refused http://allowed.example/secret: it is asked for without TLS'])
  })

  test('without the credential of this run, or with that of another', async () => {
    const { relay, told } = await open()
    const { relay: other } = await open()
    const { said } = await say(relay, 'CONNECT allowed.example:443 HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(said).toMatch(/^HTTP\/1\.1 407 .*Proxy-Authenticate: Basic/s)
    expect(told).toEqual([])
    expect((await connectTo(relay, 'allowed.example:443', other.token)).said).toMatch(/^HTTP\/1\.1 407 /)
    expect(told).toEqual(['network: refused a connection: it brings the credential of another run'])
  })

  test('a greeting for another host, for none, or none at all: nothing of it arrives', async () => {
    const { relay, told } = await open()
    const before = site.connections.length
    for (const servername of ['other.example', '']) {
      const { socket } = await connectTo(relay, 'allowed.example:443')
      const tls = secure(socket, servername)
      await Promise.race([closed(tls), new Promise((resolve) => tls.once('secureConnect', resolve))])
    }
    const { socket } = await connectTo(relay, 'allowed.example:443')
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await closed(socket)
    expect(told).toEqual([
      'network: refused allowed.example: it was sent a TLS greeting that names another host',
      'network: refused allowed.example: it was sent a TLS greeting without a name',
      'network: refused allowed.example: it was sent something other than TLS',
    ])
    await vi.waitFor(() => expect(site.connections.length).toBe(before + 3))
    for (const connection of site.connections.slice(before)) {
      if (!connection.closed) await once(connection, 'close')
      expect(connection.bytesRead).toBe(0)
    }
  })

  test('what is not HTTP', async () => {
    const { relay, told } = await open()
    expect((await say(relay, '\x16\x03\x01 no\r\n\r\n')).said).toMatch(/^HTTP\/1\.1 400 /)
    expect(told).toEqual(['network: refused a request: it is not HTTP as it is written'])
  })

  test('a thousand times: one line, and one with the number', async () => {
    const { relay, told } = await open()
    const ask = `CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n${credential(relay.token)}\r\n`
    const one = async () => {
      const socket = connectPlain(relay.socket)
      socket.write(ask)
      socket.resume()
      await once(socket, 'close')
    }
    for (let times = 0; times < 10; times += 1) await Promise.all(Array.from({ length: 100 }, one))
    expect(told).toHaveLength(1)
    await relay[Symbol.asyncDispose]()
    expect(told).toHaveLength(2)
    expect(told[1]).toMatch(/1,000 times in all/)
  })
})

describe('bounds', () => {
  test('a client that does not say whom it means is not waited for', async () => {
    const { relay, told } = await open({ bounds: { greetingMs: 30 } })
    const { socket } = await connectTo(relay, 'allowed.example:443')
    socket.write(Buffer.from([22, 3]))
    await closed(socket)
    expect(told).toEqual([])
  })

  test('nor one that leaves meanwhile: the connection outside goes with it', async () => {
    const { relay, reached } = await open()
    const before = site.connections.length
    const { socket } = await connectTo(relay, 'allowed.example:443')
    socket.destroy()
    await vi.waitFor(() => expect(reached()).toBe(1))
    const outside = site.connections[before]!
    if (!outside.closed) await once(outside, 'close')
  })

  test('silence ends a connection', async () => {
    const { relay, told } = await open({ bounds: { idleMs: 50 } })
    const { socket } = await connectTo(relay, 'allowed.example:443')
    await closed(secure(socket, 'allowed.example'))
    await relay[Symbol.asyncDispose]()
    expect(told).toEqual([expect.stringContaining('allowed.example, one connection')])
  })

  test('a side that is done may still be answered', async () => {
    const { relay } = await open()
    const { socket } = await connectTo(relay, 'allowed.example:443')
    const tls = secure(socket, 'allowed.example')
    await once(tls, 'secureConnect')
    tls.end('GET /half HTTP/1.1\r\nHost: allowed.example\r\n\r\n')
    expect(await text(tls)).toMatch(/\/half got 0/)
  })

  test('connections at once, and bytes of the whole run', async () => {
    const { relay, told } = await open({ bounds: { connections: 1, bytes: 4000 } })
    const first = await connectTo(relay, 'allowed.example:443')
    expect((await connectTo(relay, 'allowed.example:443')).said).toMatch(/403 .*too many connections/s)
    const tls = secure(first.socket, 'allowed.example')
    await once(tls, 'secureConnect')
    tls.write(`POST / HTTP/1.1\r\nHost: allowed.example\r\nContent-Length: 9000\r\n\r\n${'x'.repeat(9000)}`)
    await closed(tls)
    await vi.waitFor(async () =>
      expect((await connectTo(relay, 'allowed.example:443')).said).toMatch(/403 .*used all the bytes/s),
    )
    expect(told.join('\n')).toMatch(/refused everything from here on/)
  })

  test('with the relay every connection goes', async () => {
    const { relay, told } = await open()
    const { socket } = await connectTo(relay, 'allowed.example:443')
    const tls = secure(socket, 'allowed.example')
    await once(tls, 'secureConnect')
    const gone = closed(tls)
    await relay[Symbol.asyncDispose]()
    await gone
    expect(told.at(-1)).toMatch(/^network: allowed\.example, one connection/)
  })
})

test('a relay that stops by itself says so; one that is closed does not', async () => {
  const servers: Server[] = []
  const make = () => (servers.push(createServer()), servers.at(-1)!)
  const { relay } = await open({ createServer: make })
  servers[0]!.close()
  if (!relay.lost.aborted) await once(relay.lost, 'abort')
  expect(relay.lost.reason).toMatchObject({ reason: 'relay_lost', retryable: true })
  await relay[Symbol.asyncDispose]()
  const { relay: other } = await open({ createServer: make })
  await other[Symbol.asyncDispose]()
  expect(other.lost.aborted).toBe(false)
})
