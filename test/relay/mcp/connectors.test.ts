import { once } from 'node:events'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { OvernightError } from '../../../src/errors.ts'
import { createGuardedRequest } from '../../../src/outgoing/guarded-request.ts'
import type { ConnectorWay } from '../../../src/relay/mcp/server-side.ts'
import { openRelay } from '../../../src/relay/relay.ts'
import { createRedaction } from '../../../src/secrets/redaction.ts'
import { openMcpServer } from '../../support/mcp-server.ts'

const secret = 'lin_api_planted_0123456789'

/** A relay with the connector `linear` of the server, of which `search` and `get_*` may be called. */
async function open({
  events = false,
  allowed = true,
  way = {},
}: { events?: boolean; allowed?: boolean; way?: Partial<ConnectorWay> } = {}) {
  const server = await openMcpServer({ tools: ['search', 'get_issue', 'delete'], events })
  const redaction = createRedaction()
  redaction.learn({ name: 'LINEAR', value: secret })
  const told: string[] = []
  const linear: ConnectorWay = {
    name: 'linear',
    url: server.url,
    onlyReads: false,
    mayCall: (tool) => tool === 'search' || tool.startsWith('get_'),
    headers: async () => ({ Authorization: `Bearer ${secret}` }),
    ...way,
  }
  const relay = await openRelay({
    run: 'run-mcp',
    hosts: new Set(),
    dial: () => Promise.reject(new Error('nobody is to be called')),
    tell: (line) => told.push(line),
    connectors: {
      ways: [linear],
      request: createGuardedRequest({ allowedHosts: allowed ? [server.host] : [] }),
      redact: redaction.text,
    },
  })
  onTestFinished(async () => {
    await relay[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })
  const send = (body: unknown, { method = 'POST', path = '/mcp/linear', headers = {} }: Sent = {}) => {
    const asked = request({
      socketPath: relay.socket,
      method,
      path,
      headers: { authorization: `Bearer ${relay.token}`, 'content-type': 'application/json', ...headers },
    })
    asked.on('error', () => undefined)
    const written = typeof body === 'string' ? body : JSON.stringify(body)
    asked.end(method === 'POST' ? written : undefined)
    return asked
  }
  const ask = async (body: unknown, sent?: Sent) => {
    const [answer] = (await once(send(body, sent), 'response')) as [IncomingMessage]
    const said = await text(answer)
    return { status: answer.statusCode, headers: answer.headers, said, value: parsed(said) }
  }
  return { server, relay, told, send, ask }
}
type Sent = { method?: string; path?: string; headers?: Record<string, string> }
const parsed = (said: string): unknown => {
  try {
    return JSON.parse(/^data: (.*)$/m.exec(said)?.[1] ?? said)
  } catch {
    return undefined
  }
}
const rpc = (method: string, params: object = {}, id = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
})
const call = (name: string, id = 1) => rpc('tools/call', { name, arguments: { q: 'a' } }, id)
const json =
  (body: string | Buffer, headers = {}) =>
  (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body)
  }

describe.each([{ events: false }, { events: true }])('a server that answers with events: $events', ({ events }) => {
  test('a session of a client: begun, listed, called, ended; nothing of its headers goes on', async () => {
    const { server, relay, told, ask } = await open({ events })
    const headers = { cookie: 'a=b', 'x-api-key': relay.token, 'x-forwarded-for': '10.0.0.1', 'user-agent': 'agent' }
    const begun = await ask(rpc('initialize', { protocolVersion: '2025-06-18', capabilities: { sampling: {} } }), {
      headers,
    })
    expect(begun.value).toMatchObject({ result: { capabilities: { tools: {} }, serverInfo: { name: 'stand-in' } } })
    const session = begun.headers['mcp-session-id'] ?? 'none'
    const own = { headers: { 'mcp-session-id': String(session), 'mcp-protocol-version': '2025-06-18' } }
    expect(await ask({ jsonrpc: '2.0', method: 'notifications/initialized' }, own)).toMatchObject({
      status: 202,
      said: '',
    })
    const listed = await ask(rpc('tools/list'), own)
    expect(listed.value).toMatchObject({ result: { tools: [{ name: 'search' }, { name: 'get_issue' }] } })
    const called = await ask(call('search', 7), own)
    expect(called.value).toMatchObject({
      id: 7,
      result: { content: [{ text: 'search {"q":"a"} for Bearer [secret LINEAR]' }] },
    })
    expect(await ask(undefined, { ...own, method: 'DELETE' })).toMatchObject({ status: 204 })

    expect(server.seen.map((one) => one.headers.authorization)).toEqual(Array(5).fill(`Bearer ${secret}`))
    expect(Object.keys(server.seen[0]?.headers ?? {}).sort()).toEqual(
      [
        'accept',
        'accept-encoding',
        'authorization',
        'connection',
        'content-length',
        'content-type',
        'host',
        'user-agent',
      ].sort(),
    )
    expect(server.seen[3]?.headers).toMatchObject({ 'mcp-session-id': session, 'mcp-protocol-version': '2025-06-18' })
    expect(JSON.parse(server.seen[0]?.body ?? '')).toMatchObject({ params: { capabilities: {} } })
    await relay[Symbol.asyncDispose]()
    expect(told).toEqual(['connector linear: search ×1'])
  })

  test('of a run that publishes nothing, only what the server says changes nothing is called', async () => {
    const { server, relay, told, ask } = await open({ events, way: { onlyReads: true } })
    expect((await ask(call('get_issue'))).value).toMatchObject({ error: {} })
    expect((await ask(rpc('tools/list'))).value).toMatchObject({ result: { tools: [{ name: 'get_issue' }] } })
    expect((await ask(call('get_issue'))).value).toMatchObject({ result: {} })
    expect((await ask(call('search'))).value).toMatchObject({ error: {} })
    expect(server.calls).toEqual(['get_issue'])
    await relay[Symbol.asyncDispose]()
    expect(told.at(-1)).toBe('connector linear: get_issue ×1, refused get_issue ×1, refused search ×1')
  })

  test('a tool that is not allowed is not asked for, alone or in a batch', async () => {
    const { server, relay, told, ask } = await open({ events })
    expect(await ask(call('delete'))).toMatchObject({
      status: 200,
      value: {
        id: 1,
        error: { message: 'overnight: the tool delete of the connector linear is not allowed in this run' },
      },
    })
    const batch = await ask([call('search', 1), call('delete', 2)])
    expect(batch.value).toMatchObject([
      { id: 1, error: {} },
      { id: 2, error: {} },
    ])
    expect(server.seen).toEqual([])
    for (let times = 0; times < 3; times += 1) await ask(call('get_issue'))
    expect((await ask([call('search', 1), call('search', 2)])).status).toBe(200)
    await relay[Symbol.asyncDispose]()
    expect(server.calls).toEqual(['get_issue', 'get_issue', 'get_issue', 'search', 'search'])
    expect(told).toEqual([
      'connector linear: refused delete: it is not allowed in this run',
      'connector linear: get_issue ×3, search ×2, refused delete ×2',
    ])
  })
})

describe('who is let in', () => {
  test.for<[what: string, sent: Sent]>([
    ['the token of another run', { headers: { authorization: `Bearer overnight-run-${'0'.repeat(64)}` } }],
    ['no token', { headers: { authorization: '' } }],
    ['another connector', { path: '/mcp/sentry' }],
    ['a path with a dot', { path: '/mcp/../mcp/linear' }],
    ['a path to another room', { path: '/mcp/../git/repository' }],
    ['an escaped path', { path: '/mcp/linear%2f..' }],
    ['a spelling of it', { path: '/mcp/%6cinear' }],
    ['a query', { path: '/mcp/linear?x=1' }],
    ['more behind it', { path: '/mcp/linear/admin' }],
    ['what every object has', { path: '/mcp/constructor' }],
  ])('%s is not', async ([, sent]) => {
    const { server, told, ask } = await open()
    expect(await ask(call('search'), sent)).toMatchObject({ status: 401, value: { id: null } })
    expect(server.seen).toEqual([])
    expect(told).toEqual([
      `network: refused ${sent.path ?? '/mcp/linear'}: it was answered: this is no connector of this run, or not its token`,
    ])
  })

  test('a session of another run is none; other methods are none', async () => {
    const { server, ask } = await open()
    expect(await ask(call('search'), { headers: { 'mcp-session-id': 'session-1' } })).toMatchObject({ status: 404 })
    expect(await ask(undefined, { method: 'PUT' })).toMatchObject({ status: 405 })
    expect(await ask(undefined, { method: 'GET' })).toMatchObject({ status: 405 })
    expect(server.seen.map(({ method }) => method)).toEqual(['GET'])
  })

  test('a request that is none, packed, or too large', async () => {
    const { server, ask } = await open()
    expect(await ask('{"jsonrpc"')).toMatchObject({ status: 400, value: { error: { code: -32700 } } })
    expect(await ask(call('search'), { headers: { 'content-encoding': 'gzip' } })).toMatchObject({ status: 415 })
    expect(await ask(JSON.stringify(call('search')).padEnd(9 * 1024 ** 2))).toMatchObject({ status: 413 })
    expect(server.seen).toEqual([])
  })
})

describe('what a server may do to an agent', () => {
  const failed = (message: string) => ({ status: 200, value: { id: 1, error: { message: `overnight: ${message}` } } })

  test.for<[what: string, odd: (request: IncomingMessage, response: ServerResponse) => void, said: string]>([
    [
      'lead to this machine',
      (_request, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      'linear answered with a redirect (302)',
    ],
    ['hang up', (incoming) => void incoming.socket.destroy(), 'linear could not be reached (ECONNRESET)'],
    ['answer with an error', (_request, response) => void response.writeHead(500).end(secret), 'linear answered 500'],
    ['answer with no JSON', json(`no ${secret}`), 'linear answered with no JSON'],
    ['answer packed', json('{}', { 'content-encoding': 'br' }), 'linear answered 200'],
    ['answer with nothing', json('[]'), 'linear answered with nothing that is for an agent'],
    ['answer with another type', json('<p>', { 'content-type': 'text/html' }), 'linear answered 200'],
    ['answer for long', endless('application/json'), 'linear answered with more than 8 MB'],
    ['tell for long, in one event', endless('text/event-stream'), 'linear answered with more than 8 MB at once'],
    [
      'tell for long',
      endless('text/event-stream', `: ${'x'.repeat(64 * 1024)}\n\n`),
      'linear answered with more than 64 MB',
    ],
    [
      'end before it answered',
      json(`data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n`, {
        'content-type': 'text/event-stream',
      }),
      'linear ended before it had answered',
    ],
  ])('%s: the agent is told, and goes on', async ([, odd, said]) => {
    const { server, told, ask } = await open()
    server.next(odd)
    const answer = await ask(call('search'))
    const last = answer.said.trimEnd().split('\n').at(-1) ?? ''
    expect({ ...answer, value: parsed(last) }).toMatchObject(failed(said))
    expect(answer.said).not.toContain('planted')
    expect(told).toEqual([`connector linear: ${said}`])
    expect((await ask(call('search', 2))).value).toMatchObject({ id: 2, result: {} })
  })

  test('a server that is not there, and one at a private address that nobody listed', async () => {
    const gone = await open()
    await gone.server[Symbol.asyncDispose]()
    expect(await gone.ask(call('search'))).toMatchObject(failed('linear could not be reached (ECONNREFUSED)'))
    const unlisted = await open({ allowed: false })
    expect(await unlisted.ask(call('search'))).toMatchObject(
      failed(`linear could not be reached (${unlisted.server.host} would be asked in the open)`),
    )
    expect(unlisted.server.seen).toEqual([])
  })

  test('an agent that leaves ends what it asked for; the run ends what goes on', async () => {
    const { server, relay, told, send } = await open()
    const closed: Promise<unknown>[] = []
    const hold = (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n')
      closed.push(once(response, 'close'))
    }
    server.next(hold, hold)
    const left = send(undefined, { method: 'GET' })
    const [stream] = (await once(left, 'response')) as [IncomingMessage]
    await once(stream, 'data')
    left.destroy()
    await closed[0]
    const [kept] = (await once(send(undefined, { method: 'GET' }), 'response')) as [IncomingMessage]
    kept.on('error', () => undefined)
    await once(kept, 'data')
    await relay[Symbol.asyncDispose]()
    await closed[1]
    expect(closed).toHaveLength(2)
    expect(told).toEqual([])
  })

  test('a secret that was replaced is asked for again; one that is not taken is said', async () => {
    const values = ['old_value_0123456789', secret]
    const { server, told, ask } = await open({
      way: { headers: async () => ({ Authorization: `Bearer ${values.length > 1 ? values.shift() : values[0]}` }) },
    })
    const turnAway = (_request: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(401, { 'www-authenticate': 'Bearer resource_metadata="https://evil.example"' }).end()
    server.next(turnAway)
    expect((await ask(call('search'))).value).toMatchObject({ result: {} })
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer old_value_0123456789',
      `Bearer ${secret}`,
    ])
    server.next(turnAway)
    const refused = await ask(call('search'))
    expect(refused).toMatchObject(failed('linear does not take its secret'))
    expect(refused.headers['www-authenticate']).toBeUndefined()
    expect(told).toEqual(['connector linear: linear does not take its secret'])
  })

  test('a secret that is gone', async () => {
    const { server, ask } = await open({
      way: { headers: () => Promise.reject(new OvernightError('secret:LINEAR is not there', { code: 'setup' })) },
    })
    expect(await ask(call('search'))).toMatchObject(failed('linear could not be reached (secret:LINEAR is not there)'))
    expect(server.seen).toEqual([])
  })
})

/** Until whoever reads has enough. */
function endless(type: string, chunk = 'x'.repeat(64 * 1024)) {
  return (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': type })
    const go = () => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', go)
    }
    go()
  }
}
