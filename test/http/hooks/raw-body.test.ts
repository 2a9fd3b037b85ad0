import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { createBodyReader } from '../../../src/http/hooks/raw-body.ts'
import { problemOf } from '../../../src/http/refuse.ts'

// Over real connections: what a sender does not send is seen nowhere else.
const mb = 1024 * 1024
async function listen(withinMs: number) {
  const readBody = createBodyReader(25 * mb, withinMs)
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
    await using server = await listen(300)
    const socket = begin(server.port, sending)
    await once(socket, 'close')
    expect(socket.heard()).toMatch(/^HTTP\/1.1 408 /)
    expect(socket.heard()).toContain('the body did not arrive within 0.3 s')
  })
})

test('many slow large ones at once: two are read, fifty wait outside, the others are told to come again', async () => {
  await using server = await listen(60_000)
  const before = process.memoryUsage().arrayBuffers
  const body = Buffer.alloc(4 * mb)
  const all = Array.from({ length: 60 }, () => begin(server.port, { head: told(20 * mb), body }))
  const refused: string[] = []
  await new Promise<void>((resolve) => {
    for (const socket of all) socket.once('data', () => refused.push(socket.heard()) === 8 && resolve())
  })
  // 240 MB are on their way; what nobody reads stays with its sender.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(48 * mb)
  expect(refused.every((text) => /^HTTP\/1.1 503 [^]*retry-after: /i.test(text))).toBe(true)
  for (const socket of all) socket.destroy()
})

test('whoever sends in time is served', async () => {
  await using server = await listen(60_000)
  const answer = await fetch(`http://127.0.0.1:${server.port}/`, { method: 'POST', body: Buffer.alloc(5 * mb) })
  expect([answer.status, await answer.text()]).toEqual([200, String(5 * mb)])
})
