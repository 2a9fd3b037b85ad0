import { createHmac } from 'node:crypto'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { LedgerUnreachable } from '../../../src/errors.ts'
import { webhookHooks } from '../../../src/http/hooks/webhook.ts'
import { problemOf } from '../../../src/http/refuse.ts'
import type { NewDelivery } from '../../../src/ledger/deliveries.ts'
import { readSource } from '../../../src/routines/webhooks/read-source.ts'
import { createReceiver } from '../../../src/triggers/receive-deliveries.ts'

const now = new Date('2026-11-21T16:00:00Z')
const secret = 'hush'
const files: Record<string, string> = {
  sentry: 'verify: sentry\nsecret: [secret:NEW, secret:OLD]',
  slack: 'verify: slack\nsecret: secret:NEW',
  acme: 'verify: bearer\nsecret: secret:NEW',
  asked: 'poll: { url: "https://a.example", every: 1m }',
}

type Wanted = { secrets?: string[]; away?: boolean; heard?: string }
/** The route alone, with a ledger of its own that keeps what it is given. */
function openHook({ secrets = [secret], away = false, heard }: Wanted = {}) {
  const rows: NewDelivery[] = []
  const receiver = createReceiver({
    ledger: {
      deliveries: {
        receiveAll: (batch: readonly NewDelivery[]) => {
          if (away) return Promise.reject(new LedgerUnreachable('somewhere', undefined))
          rows.push(...batch)
          return Promise.resolve(batch.map(({ key }) => ({ id: `id-${key}`, fresh: true })))
        },
      } as never,
    },
    atOnce: 1,
    mostWaiting: 100,
    received: () => {},
  })
  const desk = {
    find(name: string) {
      if (name === 'broken') return 'broken' as const
      const read = Object.hasOwn(files, name) ? readSource(`${name}.yaml`, files[name]!) : undefined
      return read && 'defined' in read ? read.defined : undefined
    },
    secretsOf: () => Promise.resolve(secrets),
  }
  const deliveries = { heardOf: () => Promise.resolve(heard) }
  const app = new Hono().route('/hooks', webhookHooks({ desk, receiver, deliveries, now: () => now }))
  app.onError((error, c) => {
    const { status, headers, body } = problemOf(error)
    return c.json(body, status as 500, headers)
  })
  return { app, rows }
}

async function send(path: string, body: string | Buffer, headers: Record<string, string>, wanted: Wanted = {}) {
  const { app, rows } = openHook(wanted)
  const answer = await app.request(`/hooks/${path}`, {
    method: 'POST',
    body: Buffer.from(body),
    headers: { 'content-length': String(Buffer.byteLength(body)), ...headers },
  })
  return { status: answer.status, text: await answer.text(), retry: answer.headers.get('retry-after'), rows }
}
const json = { 'content-type': 'application/json' }
const hmac = (text: string, key = secret) => createHmac('sha256', key).update(text).digest('hex')
const sentry = (body: string, key = secret) => ({
  ...json,
  'sentry-hook-signature': hmac(body, key),
  'sentry-hook-resource': 'issue',
  'request-id': 'r-1',
})
const slack = (body: string, type = 'application/json') => ({
  'content-type': type,
  'x-slack-request-timestamp': String(now.getTime() / 1000),
  'x-slack-signature': `v0=${hmac(`v0:${now.getTime() / 1000}:${body}`)}`,
})

describe('what is accepted', () => {
  test('is answered once it is a row, and nothing of it is repeated', async () => {
    const body = '{"action":"created","data":{"title":"planted"}}'
    const { status, text, rows } = await send('sentry', body, sentry(body))
    expect([status, text]).toEqual([202, '{"delivery":"id-r-1"}'])
    expect(rows).toEqual([
      {
        source: 'sentry',
        key: 'r-1',
        event: 'issue',
        headers: { 'content-type': 'application/json', 'request-id': 'r-1', 'sentry-hook-resource': 'issue' },
        body: Buffer.from(body),
      },
    ])
  })

  test('while a secret is replaced, what is signed with either', async () => {
    for (const key of ['the newer', 'the older'])
      expect(await send('sentry', '{}', sentry('{}', key), { secrets: ['the newer', 'the older'] })).toMatchObject({
        status: 202,
      })
  })

  test('Slack is answered as Slack wants it', async () => {
    const challenge = JSON.stringify({ type: 'url_verification', challenge: 'c0' })
    expect(await send('slack', challenge, slack(challenge))).toMatchObject({
      status: 200,
      text: '{"challenge":"c0"}',
      rows: [],
    })
    const command = 'command=%2Ffix&text=planted&trigger_id=1'
    expect(await send('slack', command, slack(command, 'application/x-www-form-urlencoded'))).toMatchObject({
      status: 200,
      text: '',
      rows: [{ key: '1', event: '/fix' }],
    })
  })

  test('the same bytes again, a window later but within ten minutes, are the same delivery', async () => {
    const bearer = { ...json, authorization: `Bearer ${secret}` }
    const second = await send('acme', '{}', bearer, { heard: 'first' })
    expect(second).toMatchObject({ status: 202, text: '{"delivery":"first"}', rows: [] })
    expect((await send('acme', '{}', bearer)).rows).toHaveLength(1)
  })
})

describe('what is not', () => {
  const tampered = '{"a":2}'
  test.each<[string, string, string | Buffer, Record<string, string>, Wanted, number, RegExp]>([
    ['an unknown source', 'nobody', '{}', json, {}, 404, /no webhook source \\"nobody\\"/],
    ['a name of the language', 'constructor', '{}', json, {}, 404, /no webhook source/],
    ['a source that is only asked', 'asked', '{}', json, {}, 404, /no webhook source/],
    ['a source whose file is broken', 'broken', '{}', json, {}, 503, /overnight check/],
    ['no secret there', 'sentry', '{}', sentry('{}'), { secrets: [] }, 503, /OVERNIGHT_SECRET_NEW/],
    ['an empty secret', 'sentry', '{}', sentry('{}', ''), { secrets: [''] }, 503, /OVERNIGHT_SECRET_NEW/],
    ['another body', 'sentry', tampered, sentry('{"a":1}'), {}, 401, /signature does not fit/],
    ['another secret', 'sentry', tampered, sentry(tampered, 'x'), {}, 401, /signature does not fit/],
    ['no signature', 'sentry', tampered, json, {}, 401, /sentry-hook-signature is missing/],
    [
      '6 MB without a signature: nobody waits for them',
      'sentry',
      Buffer.alloc(6 * 1024 ** 2),
      json,
      {},
      401,
      /missing/,
    ],
    ['no bytes', 'sentry', '', json, {}, 401, /sentry-hook-signature is missing/],
    ['JSON cut off', 'sentry', '{"a":', sentry('{"a":'), {}, 400, /it is not JSON/],
    ['6 MB', 'sentry', Buffer.alloc(6 * 1024 ** 2), sentry(''), {}, 413, /over 5120 KB/],
    ['a challenge of somebody else', 'slack', '{"type":"url_verification","challenge":"c"}', json, {}, 401, /missing/],
    ['when the ledger is away', 'sentry', '{}', sentry('{}'), { away: true }, 503, /ledger/],
  ])('%s', async (_what, path, body, headers, wanted, status, says) => {
    const answer = await send(path, body, headers, wanted)
    expect(answer).toMatchObject({ status, rows: [] })
    expect(answer.text).toMatch(says)
    expect(answer.text).not.toContain('"a"')
    expect(answer.retry).toBe(wanted.away || path === 'broken' ? '5' : null)
  })
})
