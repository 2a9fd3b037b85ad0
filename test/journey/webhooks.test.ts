import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openApp, type Asker } from '../support/app.ts'
import { openPlace, type Place } from '../support/place.ts'

let place: Place
let app: Asker
let board: Server

/** An agent that says the input it was given. */
const saysTitle = `const fs = require('fs')
const { title } = JSON.parse(fs.readFileSync(process.env.OVERNIGHT_INPUTS_FILE))
fs.writeFileSync('note.md', title)
console.log(title)`

/** An agent that says what its event file and its prompt tell it. */
const saysBoth = `const read = (name) => require('fs').readFileSync(process.env['OVERNIGHT_' + name + '_FILE'], 'utf8')
const { event } = JSON.parse(read('EVENT'))
const prompt = read('PROMPT').replace(/<[^>]*>/g, ' ').replace(/\\s+/g, ' ').trim()
require('fs').writeFileSync('told.md', prompt)
console.log([event.text, event.type, event.data?.total, prompt].filter(Boolean).join(' '))`

beforeAll(async () => {
  place = await openPlace()
  board = createServer((_request, response) => response.end('{"jobs":[{"id":1,"state":"failed"}]}')).listen(
    0,
    '127.0.0.1',
  )
  await once(board, 'listening')
  const host = `127.0.0.1:${(board.address() as AddressInfo).port}`
  const webhooks = join(place.folder, 'webhooks')
  mkdirSync(webhooks)
  const write = (name: string, text: string) => writeFileSync(join(webhooks, name), text)
  write('sentry.yaml', 'verify: sentry\nsecret: secret:SENTRY\n')
  write('alerts.yaml', 'verify: alertmanager\nsecret: secret:ALERTS\n')
  write('orders.yaml', 'verify: bearer\nsecret: secret:ALERTS\n')
  write('board.yaml', `poll: { url: "http://${host}/", every: 30s, items: jobs }\nevent: { body: state }\n`)
  const only = (level: string) => ({ if: { 'data.level': { eq: level } } })
  place.routine('fix', {
    program: saysTitle,
    more: {
      inputs: { title: { type: 'string' } },
      on: {
        webhook: {
          source: 'sentry',
          events: ['issue'],
          inputs: { title: '{{ event.data.title }}' },
          subject: '{{ event.data.id }}',
          ...only('error'),
        },
      },
    },
  })
  place.routine('look', { more: { on: { webhook: [{ source: 'board', events: ['failed'] }, { source: 'alerts' }] } } })
  place.routine('tell', {
    program: saysBoth,
    prompt: 'about {{ event.text }}{{ event.data.total }}',
    more: { on: { webhook: { source: 'orders', subject: '{{ event.text }}{{ event.id }}' } } },
  })
  app = await openApp(place, {
    OVERNIGHT_SECRET_SENTRY: 'hush',
    OVERNIGHT_SECRET_ALERTS: 'hush too',
    OVERNIGHT_ALLOW_HOSTS: host,
  })
})
afterAll(async () => {
  await app?.[Symbol.asyncDispose]()
  board?.close()
  board?.closeAllConnections()
  place?.[Symbol.dispose]()
})

type Delivery = {
  delivery: string
  source: string
  outcome: string
  reason: string | null
  firings: { run: string | null }[]
}
async function settled(find: (delivery: Delivery) => boolean): Promise<Delivery> {
  return vi.waitFor(
    async () => {
      const { json } = await app.ask('/v1/deliveries')
      const found = (json as { deliveries: Delivery[] }).deliveries.find(find)
      if (!found || found.outcome === 'owed') throw new Error('not yet')
      return found
    },
    { timeout: 30_000, interval: 50 },
  )
}
function fromSentry(event: object, id: string) {
  const body = JSON.stringify(event)
  const headers = {
    'sentry-hook-signature': createHmac('sha256', 'hush').update(body).digest('hex'),
    'sentry-hook-resource': 'issue',
    'request-id': id,
    host: 'hooks.acme.example',
  }
  return app.ask('/hooks/sentry', { method: 'POST', body, headers, token: null })
}

test('what Sentry sends becomes a run about it, once', async () => {
  const error = { action: 'created', data: { id: 'SHOP-7', level: 'error', title: 'It broke' } }
  const answers = await Promise.all([1, 2, 3].map(() => fromSentry(error, 'r-1')))
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202])
  const [id] = new Set(answers.map(({ json }) => json['delivery']))
  const delivery = await settled(({ delivery }) => delivery === id)
  expect(delivery).toMatchObject({ outcome: 'fired', firings: [{ run: expect.any(String) as string }] })
  const run = await app.settled(delivery.firings[0]!.run!)
  expect(run).toMatchObject({
    state: 'published',
    branch: 'overnight/fix/shop_7',
    trigger: 'webhook',
    title: 'It broke',
  })
})

test.each([
  ['a form', 'text=prod+now', { 'content-type': 'application/x-www-form-urlencoded' }, 'prod now about prod now'],
  [
    'a CloudEvent in headers',
    '{"total":5}',
    { 'ce-specversion': '1.0', 'ce-id': 'A-1', 'ce-source': '/orders', 'ce-type': 'made' },
    'made 5 about 5',
  ],
])('an agent is told what %s said, as its routine was', async (_what, body, headers, title) => {
  const authorization = 'Bearer hush too'
  const { json } = await app.ask('/hooks/orders', {
    method: 'POST',
    body,
    headers: { authorization, ...(headers as Record<string, string>) },
    token: null,
  })
  const { firings } = await settled(({ delivery }) => delivery === json['delivery'])
  expect(await app.settled(firings[0]!.run!)).toMatchObject({ state: 'published', title })
})

test('what no routine asks for is on record all the same', async () => {
  const { json } = await fromSentry({ data: { level: 'info' } }, 'r-2')
  expect(await settled(({ delivery }) => delivery === json['delivery'])).toMatchObject({
    outcome: 'unmatched',
    reason: expect.stringMatching(/^no condition of .* fits$/),
    firings: [],
  })
})

test('what repeats itself within minutes is one event, by its bytes', async () => {
  const alert = {
    method: 'POST',
    body: '{"status":"firing"}',
    headers: { authorization: 'Bearer hush too' },
    token: null,
  }
  const [first, second] = [await app.ask('/hooks/alerts', alert), await app.ask('/hooks/alerts', alert)]
  expect([first.status, second.status]).toEqual([202, 202])
  expect(second.json).toEqual(first.json)
  await settled(({ delivery }) => delivery === first.json['delivery'])
})

test('a source that is asked: what was there before is on record, and fires nothing', async () => {
  expect(await settled(({ source }) => source === 'board')).toMatchObject({
    outcome: 'skipped',
    event: 'failed',
    reason: expect.stringContaining('first time') as string,
    firings: [],
  })
})

test('sources tell whether they are ready, and how looking goes', async () => {
  writeFileSync(join(place.folder, 'webhooks', 'late.yaml'), 'verify: linear\nsecret: secret:NOT_THERE\n')
  const away = 'poll: { url: "http://away.test/", every: 1h, headers: { Authorization: "Bearer secret:SENTRY" } }\n'
  writeFileSync(join(place.folder, 'webhooks', 'away.yaml'), away)
  const { json } = await vi.waitFor(
    async () => {
      const answer = await app.ask('/v1/sources')
      expect(answer.json).toMatchObject({ sources: { length: 6, 1: { polling: { failures: 1 } } } })
      return answer
    },
    { timeout: 20_000, interval: 50 },
  )
  const plain = { description: '', broken: false }
  const looked = { everySeconds: 30, failures: 0, error: null, lookedAt: expect.any(String) as string }
  expect(json).toMatchObject({
    sources: [
      { ...plain, source: 'alerts', path: '/hooks/alerts', ready: true, polling: null },
      {
        ...plain,
        source: 'away',
        ready: false,
        polling: {
          ...looked,
          everySeconds: 3600,
          lookedAt: expect.anything() as unknown,
          failures: 1,
          error: expect.stringMatching(
            /sent to away.test, and away.test would be asked in the open – list away.test in OVERNIGHT_SECRET_SENTRY_HOSTS.* OVERNIGHT_ALLOW_HOSTS$/,
          ) as string,
        },
      },
      { ...plain, source: 'board', path: null, ready: true, polling: looked },
      { ...plain, source: 'late', path: '/hooks/late', ready: false, polling: null },
      { ...plain, source: 'orders', path: '/hooks/orders', ready: true, polling: null },
      { ...plain, source: 'sentry', path: '/hooks/sentry', ready: true, polling: null },
    ],
    problems: [],
  })
  const refused = await app.ask('/hooks/late', { method: 'POST', body: '{}', token: null })
  expect(refused).toMatchObject({ status: 503, json: { hint: expect.stringContaining('NOT_THERE') as string } })
  const late = await vi.waitFor(
    async () => {
      const { json } = await app.ask('/v1/sources')
      expect(json).toMatchObject({ sources: { 3: { refused: expect.any(Object) as object } } })
      return json
    },
    { timeout: 20_000, interval: 50 },
  )
  const reason = expect.stringContaining('late.yaml names a secret that is not there') as string
  expect(late).toMatchObject({ sources: { 3: { refused: { count: 1, reason } } }, gitHub: { refused: null } })
})
