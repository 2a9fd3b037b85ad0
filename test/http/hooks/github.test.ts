import { sign } from '@octokit/webhooks-methods'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { LedgerUnreachable } from '../../../src/errors.ts'
import { gitHubHook } from '../../../src/http/hooks/github.ts'
import { problemOf } from '../../../src/http/refuse.ts'
import type { NewDelivery } from '../../../src/ledger/deliveries.ts'
import { createReceiver } from '../../../src/triggers/receive-deliveries.ts'

const secret = 'the present secret, long'
const old = 'the one before, also long'
type Wanted = { secrets?: { current: string | undefined; old: string | undefined }; away?: boolean }

/** The route alone, with a ledger of its own that keeps what it is given. */
function openHook({ secrets = { current: secret, old }, away = false }: Wanted = {}) {
  const rows: NewDelivery[] = []
  const receiver = createReceiver({
    ledger: {
      deliveries: {
        receiveAll: (batch: readonly NewDelivery[]) => {
          if (away) return Promise.reject(new LedgerUnreachable('somewhere', undefined))
          const answers = batch.map(({ key }) => ({ id: `id-${key}`, fresh: !rows.some((row) => row.key === key) }))
          rows.push(...batch)
          return Promise.resolve(answers)
        },
      } as never,
    },
    atOnce: 1,
    mostWaiting: 10,
    received: () => {},
  })
  const app = new Hono().route('/hooks/github', gitHubHook({ receiver, secrets }))
  app.onError((error, c) => {
    const { status, headers, body } = problemOf(error)
    return c.json(body, status as 500, headers)
  })
  return { app, rows }
}

type Sending = Wanted & { signedBy?: string; signed?: string | Buffer; headers?: Record<string, string | null> }
async function send(
  body: string | Buffer,
  { signedBy = secret, signed = body, headers = {}, ...wanted }: Sending = {},
) {
  const { app, rows } = openHook(wanted)
  const all: Record<string, string | null> = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'x-github-event': 'push',
    'x-github-delivery': '6d5a7b1c-aaaa-4000-8000-000000000001',
    'x-hub-signature-256': signed.length === 0 ? '' : await sign(signedBy, signed.toString()),
    'user-agent': 'GitHub-Hookshot/1',
    cookie: 'x=1',
    ...headers,
  }
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null)
  const answer = await app.request('/hooks/github', {
    method: 'POST',
    body: Buffer.from(body),
    headers: given,
    duplex: 'half',
  })
  return { status: answer.status, text: await answer.text(), retry: answer.headers.get('retry-after'), rows }
}

describe('what is accepted', () => {
  test('is answered 202 once it is a row, without its signature and without what says nothing', async () => {
    const { status, text, rows } = await send('{"ref":"refs/heads/main"}')
    expect([status, text]).toEqual([202, '{"delivery":"id-6d5a7b1c-aaaa-4000-8000-000000000001"}'])
    expect(rows).toEqual([
      {
        source: 'github',
        key: '6d5a7b1c-aaaa-4000-8000-000000000001',
        event: 'push',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'GitHub-Hookshot/1',
          'x-github-delivery': '6d5a7b1c-aaaa-4000-8000-000000000001',
          'x-github-event': 'push',
        },
        body: Buffer.from('{"ref":"refs/heads/main"}'),
      },
    ])
  })

  test('with the secret before, too', async () => expect((await send('{}', { signedBy: old })).status).toBe(202))

  test('ping is answered 200 and on record', async () => {
    const { status, rows } = await send('{"zen":"x","hook_id":1}', { headers: { 'x-github-event': 'ping' } })
    expect([status, rows[0]?.outcome]).toEqual([200, 'unmatched'])
  })

  test('an event that nobody knows yet', async () => {
    expect((await send('{}', { headers: { 'x-github-event': 'brand_new_event' } })).status).toBe(202)
  })

  test('a key written twice: the last one counts, here as everywhere', async () => {
    expect((await send('{"action":"a","action":"b"}')).status).toBe(202)
  })

  test('text of every kind, byte by byte', async () => {
    const body = JSON.stringify({ text: 'ü 🦉 \u2028 \0' })
    expect((await send(body)).rows[0]?.body.toString()).toBe(body)
  })

  test('a body of several megabytes', async () => {
    expect((await send(JSON.stringify({ text: 'x'.repeat(5_000_000) }))).status).toBe(202)
  })
})

const good = await sign(secret, '{}')

describe('what is not', () => {
  const deep = `{"a":${'['.repeat(100_000)}`
  const bom = `\uFEFF{}`
  const invalid = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])
  test.each<[string, string | Buffer, Sending, number, string]>([
    ['another secret', '{}', { signedBy: 'somebody else’s secret' }, 401, 'the signature does not fit'],
    ['one byte changed', '{"a":1}', { signed: '{"a":2}' }, 401, 'the signature does not fit'],
    [
      'no secret is set',
      '{}',
      { secrets: { current: undefined, old: undefined } },
      503,
      'OVERNIGHT_GITHUB_WEBHOOK_SECRET',
    ],
    [
      'only the old secret is set',
      '{}',
      { secrets: { current: undefined, old }, signedBy: old },
      503,
      'none is accepted',
    ],
    ['no signature', '{}', { headers: { 'x-hub-signature-256': null } }, 400, 'x-hub-signature-256 is missing'],
    [
      'no signature, and 26 MB to come',
      '{}',
      { headers: { 'x-hub-signature-256': null, 'content-length': '27262976' } },
      400,
      'is missing',
    ],
    ['an empty signature', '{}', { headers: { 'x-hub-signature-256': '' } }, 400, 'cannot be read'],
    ['a short signature', '{}', { headers: { 'x-hub-signature-256': 'sha256=00' } }, 401, 'does not fit'],
    ['two signatures', '{}', { headers: { 'x-hub-signature-256': `${good}, ${good}` } }, 401, 'does not fit'],
    [
      'a signature in upper case',
      '{}',
      { headers: { 'x-hub-signature-256': good.toUpperCase().replace('SHA256', 'sha256') } },
      401,
      'does not fit',
    ],
    [
      'the old kind of signature alone',
      '{}',
      { headers: { 'x-hub-signature-256': null, 'x-hub-signature': 'sha1=0' } },
      400,
      'is missing',
    ],
    ['no event', '{}', { headers: { 'x-github-event': null } }, 400, 'x-github-event is missing'],
    ['an event that is none', '{}', { headers: { 'x-github-event': '../push' } }, 400, 'x-github-event cannot be read'],
    ['no delivery', '{}', { headers: { 'x-github-delivery': null } }, 400, 'x-github-delivery is missing'],
    ['a delivery with more in it', '{}', { headers: { 'x-github-delivery': 'a b' } }, 400, 'cannot be read'],
    [
      'a form',
      'payload=%7B%7D',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'choose the content type application/json',
    ],
    ['no type', '{}', { headers: { 'content-type': null } }, 415, 'application/json'],
    ['packed', '{}', { headers: { 'content-encoding': 'gzip' } }, 415, 'content-encoding gzip'],
    ['nothing', '', {}, 400, ''],
    ['half of it', '{"ref":"refs/he', {}, 400, 'not a JSON object'],
    ['a list', '[]', {}, 400, 'not a JSON object'],
    ['null', 'null', {}, 400, 'not a JSON object'],
    ['a mark of byte order', bom, {}, 400, 'not a JSON object'],
    [
      'no UTF-8',
      invalid,
      { signedBy: secret, headers: { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` } },
      401,
      'does not fit',
    ],
    ['deep and never closed', deep, {}, 400, 'not a JSON object'],
  ])('%s', async (_, body, sending, status, words) => {
    const answer = await send(body, sending)
    expect([answer.status, answer.rows]).toEqual([status, []])
    expect(answer.text).toContain(words)
  })

  test('26 MB, said or not', async () => {
    const large = Buffer.alloc(26 * 1024 * 1024, 0x20)
    expect((await send('{}', { headers: { 'content-length': String(large.length) } })).status).toBe(413)
    expect((await send(large, { signed: '{}', headers: { 'content-length': null } })).status).toBe(413)
  })

  test('anything while the ledger is away: to be sent again', async () => {
    expect(await send('{}', { away: true })).toMatchObject({ status: 503, retry: '5' })
  })
})
