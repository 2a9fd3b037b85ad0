import { once } from 'node:events'
import { createServer, type AddressInfo, type LookupFunction } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { AddressRefused, OutsideUnreachable } from '../../src/errors.ts'
import { createDial, type DialOptions } from '../../src/outgoing/dial.ts'

const sink = createServer((socket) => socket.end('here'))
beforeAll(async () => {
  await once(sink.listen(0, '127.0.0.1'), 'listening')
})
afterAll(() => void sink.close())
const port = () => (sink.address() as AddressInfo).port

/** Every name is the loopback of this machine. */
const loopback: LookupFunction = (_host, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)

async function dial(
  host: string,
  {
    isNamed = true,
    signal = new AbortController().signal,
    ...options
  }: DialOptions & { isNamed?: boolean; signal?: AbortSignal } = {},
) {
  const socket = await createDial({ lookup: loopback, connectMs: 2000, ...options })(
    { host, port: port(), isNamed },
    signal,
  )
  onTestFinished(() => void socket.destroy())
  const [said] = (await once(socket, 'data')) as [Buffer]
  return String(said)
}

test('a private address is refused, unless the operator listed the host and somebody named it', async () => {
  const allowedHosts = ['registry.internal']
  await expect(dial('registry.internal')).rejects.toThrow(AddressRefused)
  expect(await dial('registry.internal', { allowedHosts })).toBe('here')
  expect(await dial('registry.internal', { allowedHosts: [`registry.internal:${port()}`] })).toBe('here')
  await expect(dial('registry.internal', { allowedHosts, isNamed: false })).rejects.toThrow(AddressRefused)
  await expect(dial('registry.internal', { allowedHosts: ['registry.internal:1'] })).rejects.toThrow(AddressRefused)
  await expect(dial('evil.registry.internal', { allowedHosts })).rejects.toThrow(AddressRefused)
  await expect(dial('registry.internal.evil.example', { allowedHosts })).rejects.toThrow(AddressRefused)
})

test('a network of one’s own counts as public', async () => {
  expect(await dial('any.example', { alsoPublic: ['127.0.0.0/8'] })).toBe('here')
})

test('a name that is not there, a connection that is not made in time, and one that nobody waits for any more', async () => {
  const nobody: LookupFunction = (_host, _options, done) =>
    done(Object.assign(new Error('getaddrinfo ENOTFOUND secret'), { code: 'ENOTFOUND' }), '', 0)
  const missing = dial('gone.example', { lookup: nobody })
  await expect(missing).rejects.toThrow(OutsideUnreachable)
  await expect(missing).rejects.toThrow('gone.example gave no answer: ENOTFOUND')

  const never: LookupFunction = () => undefined
  await expect(dial('slow.example', { lookup: never, connectMs: 20 })).rejects.toThrow(/no connection within 0.02 s/)

  const leaving = new AbortController()
  const left = dial('slow.example', { lookup: never, signal: leaving.signal })
  leaving.abort(new Error('the run is over'))
  await expect(left).rejects.toThrow('the run is over')
})
