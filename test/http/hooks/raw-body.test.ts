import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { createBodyReader } from '../../../src/http/hooks/raw-body.ts'
import { problemOf } from '../../../src/http/refuse.ts'

// Over real connections: what a sender does not send is seen nowhere else.
const mb = 1024 * 1024
async function listen(bounds: Parameters<typeof createBodyReader>[1]) {
  const readBody = createBodyReader(25 * mb, bounds)
  const app = new Hono().post('/', async (c) => c.text(String((await readBody(c)).length)))
  app.onError((error, c) => {
    const { status, headers, body } = problemOf(error)
    return c.json(body, status as 500, headers)
  })
  const bound = Promise.withResolvers<number>()
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, (at) => bound.resolve(at.port))
  return {
    port: await bound.promise,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
    },
  }
}

type Sending = { head: string; body: Buffer }
/** Begins a request and sends no more than this of its body. */
function begin(port: number, { head, body }: Sending): Socket & { heard(): string } {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n`)
  socket.write(body)
  return Object.assign(socket, { heard: () => text })
}
const told = (bytes: number) => `content-length: ${bytes}`
const chunked = { head: 'transfer-encoding: chunked', body: Buffer.from('5\r\nhello\r\n') }

describe('a body that does not arrive in time is answered 408, and its connection ends', () => {
  test.each<[string, Sending]>([
    ['a small one', { head: told(1000), body: Buffer.from('{"a":') }],
    ['nothing of it', { head: told(1000), body: Buffer.alloc(0) }],
    ['a large one', { head: told(20 * mb), body: Buffer.alloc(mb) }],
    ['one of unknown length', chunked],
  ])('%s', async (_, sending) => {
    await using server = await listen({ withinMs: 300 })
    const socket = begin(server.port, sending)
    await once(socket, 'close')
    expect(socket.heard()).toMatch(/^HTTP\/1.1 408 /)
    expect(socket.heard()).toContain('the body did not arrive within 0.3 s')
  })
})

const large = (sent: number) => ({ head: told(20 * mb), body: Buffer.alloc(sent) })
const send = (port: number, bytes: number) =>
  fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: Buffer.alloc(bytes) })

test('senders who send next to nothing hold up nobody', async () => {
  await using server = await listen({ withinMs: 60_000, quietMs: 60_000 })
  const slow = Array.from({ length: 60 }, () => begin(server.port, large(1000)))
  await Promise.all(slow.map((socket) => once(socket, 'connect')))
  expect((await send(server.port, 5 * mb)).status).toBe(200)
  for (const socket of slow) socket.destroy()
})

test('who goes on too slowly is cut off long before the end', async () => {
  await using server = await listen({ withinMs: 60_000, quietMs: 200 })
  const socket = begin(server.port, large(5 * mb))
  await once(socket, 'close')
  expect(socket.heard()).toMatch(/^HTTP\/1.1 408 [^]*the body comes too slowly/)
})

test('of much that arrives at once only so much is held; what waits too long is told to come again', async () => {
  await using server = await listen({ withinMs: 1500, heldBytes: 24 * mb, quietMs: 60_000 })
  const one = large(6 * mb)
  const before = process.memoryUsage().arrayBuffers
  const all = Array.from({ length: 40 }, () => begin(server.port, one))
  const answered = all.map((socket) => once(socket, 'data'))
  await Promise.race(answered)
  // 240 MB are on their way; what nobody reads stays with its sender.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(72 * mb)
  await Promise.all(answered)
  const answers = Map.groupBy(all, (socket) => socket.heard().slice(9, 12))
  expect([...answers.keys()].toSorted()).toEqual(['408', '503'])
  expect(answers.get('503')![0]!.heard()).toMatch(/retry-after: /i)
  for (const socket of all) socket.destroy()
  expect((await send(server.port, 20 * mb)).status).toBe(200)
})

test('whole ones that are more than there is room for come in one after the other', async () => {
  await using server = await listen({ withinMs: 60_000, heldBytes: 8 * mb })
  const answers = await Promise.all(Array.from({ length: 6 }, () => send(server.port, 5 * mb)))
  expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200))
})

test('whoever sends in time is served', async () => {
  await using server = await listen({})
  const answer = await fetch(`http://127.0.0.1:${server.port}/`, { method: 'POST', body: Buffer.alloc(5 * mb) })
  expect([answer.status, await answer.text()]).toEqual([200, String(5 * mb)])
})
