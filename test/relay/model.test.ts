import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { ModelOptions } from '../../src/relay/model.ts'
import { openRelay, type Relay } from '../../src/relay/relay.ts'
import { createProcessDriver } from '../../src/sandboxes/process.ts'
import type { UsageReport } from '../../src/relay/usage.ts'

const key = 'sk-ant-the-real-key-of-the-operator'
const path = '/v1/messages?beta=true'
const prompt = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] })
const answered = { model: 'm', usage: { input_tokens: 3, output_tokens: 4 } }

/** The way to a model alone. */
const openModelRelay = ({ run, ...model }: ModelOptions & { run: string }) =>
  openRelay({
    run,
    model,
    hosts: new Set(),
    dial: () => Promise.reject(new Error('nobody is to be called')),
    tell: () => undefined,
  })

type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: string }

/** A model of the test's own, and a relay in front of it. */
async function open(listener: RequestListener, more: Partial<ModelOptions & { run: string }> = {}) {
  const seen: Seen[] = []
  const usages: UsageReport[] = []
  const model = createServer((incoming, response) => {
    void text(incoming).then((body) => {
      seen.push({ method: incoming.method!, url: incoming.url!, headers: incoming.headers, body })
      listener(incoming, response)
    })
  }).listen(0, '127.0.0.1')
  await once(model, 'listening')
  const { port } = model.address() as { port: number }
  const baseUrl = `http://127.0.0.1:${port}`
  const relay = await openModelRelay({
    run: 'run-1',
    upstream: { baseUrl, apiKey: key, oauthToken: undefined },
    onUsage: (report) => usages.push(report),
    ...more,
  })
  onTestFinished(async () => {
    await relay[Symbol.asyncDispose]()
    model.close()
    model.closeAllConnections()
  })
  return { relay, model, seen, usages, baseUrl }
}

type Sent = { method?: string; path?: string; headers?: Record<string, string>; body?: string | Buffer }
async function ask(relay: Relay, sent: Sent = {}) {
  const outgoing = send(relay, sent)
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) }
}
function send(relay: Relay, { method = 'POST', path: to = path, headers = {}, body = prompt }: Sent) {
  const outgoing = request({
    socketPath: relay.socket,
    method,
    path: to,
    headers: { 'x-api-key': relay.token, 'content-type': 'application/json', ...headers },
  })
  outgoing.on('error', () => undefined)
  outgoing.end(method === 'POST' ? body : undefined)
  return outgoing
}
const json: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_1', 'set-cookie': 'a=b' })
  response.end(JSON.stringify(answered))
}

describe('what reaches the model', () => {
  test('the request with the real key in place of the token, and nothing about the way it came', async () => {
    const { relay, seen, usages } = await open(json)
    const answer = await ask(relay, {
      headers: {
        cookie: 'x=y',
        authorization: 'Bearer else',
        'x-forwarded-for': '10.0.0.1',
        'anthropic-version': '2023-06-01',
        'anthropic-beta': 'one',
        'accept-encoding': 'gzip',
      },
    })
    expect(answer).toMatchObject({ status: 200, body: JSON.stringify(answered), headers: { 'request-id': 'req_1' } })
    expect(answer.headers['set-cookie']).toBeUndefined()
    const [got] = seen
    expect(got).toMatchObject({ method: 'POST', url: path, body: prompt })
    const { host, ...headers } = got!.headers
    expect(headers).toEqual({
      'x-api-key': key,
      'content-type': 'application/json',
      'content-length': String(prompt.length),
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'one',
      'accept-encoding': 'identity',
      connection: 'keep-alive',
    })
    expect(host).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(usages).toEqual([{ model: 'm', usage: { input: 3, output: 4, cacheRead: 0, cacheWrite: 0 } }])
  })

  test('the token as bearer; a subscription goes on as bearer with its beta', async () => {
    const oauthToken = 'sk-ant-oat-the-subscription'
    const { relay, seen } = await open(json)
    await using other = await openModelRelay({
      run: 'run-2',
      upstream: { baseUrl: `http://${seen.length}`, apiKey: undefined, oauthToken },
      onUsage: () => undefined,
    })
    expect(other.token).not.toBe(relay.token)
    expect((await ask(relay, { headers: { 'x-api-key': '', authorization: `Bearer ${relay.token}` } })).status).toBe(
      200,
    )

    const subscription = await open(json, {})
    await using third = await openModelRelay({
      run: 'run-3',
      upstream: { baseUrl: `${subscription.baseUrl}/gateway/`, apiKey: undefined, oauthToken },
      onUsage: () => undefined,
    })
    await ask(third, { headers: { 'anthropic-beta': 'one, oauth-2025-04-20' } })
    expect(subscription.seen[0]).toMatchObject({
      url: `/gateway${path}`,
      headers: { authorization: `Bearer ${oauthToken}`, 'anthropic-beta': 'one,oauth-2025-04-20' },
    })
    expect(subscription.seen[0]!.headers['x-api-key']).toBeUndefined()
  })

  test('of a key that is there twice, what was checked', async () => {
    const { relay, seen } = await open(json)
    await ask(relay, { body: '{"mcp_servers":[{"url":"https://thief.example"}],"mcp_servers":[],"model":"m"}' })
    expect(seen[0]!.body).toBe('{"mcp_servers":[],"model":"m"}')
  })
})

describe('what does not', () => {
  test.for([
    ['no token', { headers: { 'x-api-key': '' } }, 401, 'authentication_error'],
    ['another token', { headers: { 'x-api-key': 'overnight-run-0000' } }, 401, 'authentication_error'],
    ['the real key', { headers: { 'x-api-key': key } }, 401, 'authentication_error'],
    ['another path', { path: '/v1/files' }, 404, 'not_found_error'],
    ['a path in disguise', { path: '/v1/messages/../files' }, 404, 'not_found_error'],
    ['a whole address', { path: 'http://thief.example/v1/messages' }, 403, 'permission_error'],
    ['another method', { method: 'DELETE' }, 405, 'invalid_request_error'],
    ['no JSON', { body: '{"model":' }, 400, 'invalid_request_error'],
    ['a list', { body: '[]' }, 400, 'invalid_request_error'],
    ['compressed', { headers: { 'content-encoding': 'gzip' } }, 415, 'invalid_request_error'],
    ['what reaches out', { body: '{"tools":[{"type":"web_fetch_1"}]}' }, 400, 'invalid_request_error'],
    ['33 MB', { body: Buffer.alloc(33 * 1024 * 1024, 0x20) }, 413, 'request_too_large'],
  ] as const)('%s', async ([, sent, status, type]) => {
    const { relay, seen } = await open(json)
    const answer = await ask(relay, sent)
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body)).toEqual({
      type: 'error',
      error: { type, message: expect.stringMatching(/^overnight: /) },
    })
    expect(answer.body).not.toContain('\n')
    expect(seen).toEqual([])
  })

  test('large requests nested too deep, one after the other; the next is answered', async () => {
    const { relay, seen } = await open(json)
    const depth = 100_000
    const body = `{"a":"${'.'.repeat(31 * 1024 * 1024)}","b":${'['.repeat(depth)}${']'.repeat(depth)}}`
    for (let times = 0; times < 2; times += 1) {
      expect(await ask(relay, { body })).toMatchObject({ status: 400, body: expect.stringContaining('nested') })
    }
    expect(seen).toEqual([])
    expect(await ask(relay)).toMatchObject({ status: 200 })
  })

  test('a client that only asks whether anybody is there', async () => {
    const { relay, seen } = await open(json)
    expect(await ask(relay, { method: 'HEAD', path: '/', headers: { 'x-api-key': '' } })).toMatchObject({ status: 200 })
    expect(seen).toEqual([])
  })

  test('without any credential there is no relay', async () => {
    const upstream = { baseUrl: 'http://127.0.0.1:9', apiKey: undefined, oauthToken: undefined }
    await expect(openModelRelay({ run: 'r', upstream, onUsage: () => undefined })).rejects.toMatchObject({
      reason: 'model_sign_in',
      hint: expect.stringContaining('ANTHROPIC_API_KEY'),
    })
  })
})

describe('what comes back', () => {
  test('a stream, each piece when it comes; the usage at the end', async () => {
    const gate = Promise.withResolvers<void>()
    const { relay, usages } = await open((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: {"message":{"model":"m","usage":{"input_tokens":5}}}\n\n')
      void gate.promise.then(() => response.end('data: {"usage":{"output_tokens":6}}\n\n'))
    })
    const [answer] = (await once(send(relay, {}), 'response')) as [IncomingMessage]
    const [first] = (await once(answer, 'data')) as [Buffer]
    expect(String(first)).toContain('"input_tokens":5')
    expect(usages).toEqual([])
    gate.resolve()
    await once(answer, 'end')
    await vi.waitFor(() => expect(usages[0]?.usage).toMatchObject({ input: 5, output: 6 }))
  })

  test.for([400, 401, 404, 429, 500, 529])('%i as it was, with when to try again', async (status) => {
    const body = JSON.stringify({ type: 'error', error: { type: 'x', message: `no, ${key}` } })
    const { relay, usages } = await open((_request, response) => {
      response.writeHead(status, { 'retry-after': '7', 'x-echo': key, 'content-length': body.length })
      response.end(body)
    })
    const answer = await ask(relay)
    expect(answer).toMatchObject({ status, headers: { 'retry-after': '7' }, body: body.replace(key, '[the key]') })
    expect(JSON.stringify(answer)).not.toContain(key)
    expect(usages).toEqual([])
  })

  test('a redirect is not followed, by nobody', async () => {
    const { relay, seen } = await open((_request, response) => {
      response.writeHead(307, { location: 'http://thief.example/' }).end()
    })
    const answer = await ask(relay)
    expect(answer).toMatchObject({ status: 502, body: expect.stringContaining('redirect') })
    expect(answer.headers.location).toBeUndefined()
    expect(seen).toHaveLength(1)
  })

  test('a model that hangs up in the middle: so does the relay', async () => {
    const { relay, usages } = await open((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: {"message":{"model":"m","usage":{"input_tokens":5}}}\n\n', () => response.destroy())
    })
    const [answer] = (await once(send(relay, {}), 'response')) as [IncomingMessage]
    await expect(text(answer)).rejects.toThrow('aborted')
    await vi.waitFor(() => expect(usages[0]?.usage.input).toBe(5))
  })

  test('nobody there', async () => {
    const { relay, model } = await open(json)
    model.close()
    expect(await ask(relay)).toMatchObject({ status: 502, body: expect.stringContaining('ECONNREFUSED') })
  })

  test('a model that says nothing', async () => {
    const { relay } = await open(() => undefined, { silentMs: 50 })
    expect(await ask(relay)).toMatchObject({ status: 504, body: expect.stringContaining('timeout_error') })
  })
})

describe('who goes away', () => {
  test('a client: the model is told at once', async () => {
    const arrived = Promise.withResolvers<IncomingMessage>()
    const { relay } = await open((incoming) => arrived.resolve(incoming))
    const outgoing = send(relay, {})
    const incoming = await arrived.promise
    const closed = once(incoming.socket, 'close')
    outgoing.destroy()
    expect(await closed).toBeTruthy()
  })

  test('a slow reader slows the model', async () => {
    let written = 0
    const { relay } = await open((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const piece = Buffer.alloc(64 * 1024, 0x2e)
      const more = () => {
        while (written < 256 * 1024 * 1024 && response.write(piece)) written += piece.length
      }
      response.on('drain', more)
      more()
    })
    const [answer] = (await once(send(relay, {}), 'response')) as [IncomingMessage]
    let before = -1
    await vi.waitFor(
      () => {
        const [last, now] = [before, written]
        before = now
        expect(now).toBe(last)
      },
      { interval: 100 },
    )
    expect(written).toBeLessThan(32 * 1024 * 1024)
    answer.destroy()
  })

  test('a service that is killed: what it left is found by the name of the run', async () => {
    const { relay } = await open(json, { run: 'lost-relay' })
    await createProcessDriver().reap((run) => run === 'lost-relay')
    expect(existsSync(dirname(relay.socket))).toBe(false)
  })

  test('and it is found where the system’s temporary folder has too long a path for a socket', async () => {
    vi.stubEnv('TMPDIR', `/tmp/${'long'.repeat(20)}`)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { relay } = await open(json, { run: 'lost-far-relay' })
    expect(existsSync(relay.socket)).toBe(true)
    await createProcessDriver().reap((run) => run === 'lost-far-relay')
    expect(existsSync(dirname(relay.socket))).toBe(false)
  })

  test('the relay: every connection and the socket', async () => {
    const { relay } = await open(() => undefined)
    expect((await stat(dirname(relay.socket))).mode & 0o777).toBe(0o700)
    expect(relay.socket.length).toBeLessThan(108)
    const outgoing = send(relay, {})
    const broken = new Promise((resolve) => outgoing.once('close', resolve))
    await once(outgoing, 'finish')
    await relay[Symbol.asyncDispose]()
    await broken
    expect(existsSync(dirname(relay.socket))).toBe(false)
  })
})
