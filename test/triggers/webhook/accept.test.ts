import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OvernightError } from '../../../src/errors.ts'
import { readSource } from '../../../src/routines/webhooks/read-source.ts'
import { accept, sameForMs } from '../../../src/triggers/webhook/accept.ts'
import { readEvent } from '../../../src/triggers/webhook/read-event.ts'

const now = new Date('2026-11-21T16:00:00Z')
const sourceOf = (text: string, name = 'acme') => {
  const read = readSource(`/w/${name}.yaml`, text)
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  return read.defined
}
const bearer = sourceOf('verify: bearer\nsecret: secret:ACME')
const authorization = 'Bearer hush'
const json = { 'content-type': 'application/json', authorization }

function take(body: string | Buffer, headers: Record<string, string> = {}, source = bearer) {
  const arrived = { headers: { ...json, ...headers }, body: Buffer.from(body) }
  const accepted = accept(arrived, source, { secrets: ['hush'], now })
  if ('challenge' in accepted) throw new Error('a challenge')
  return accepted
}
const eventOf = (body: string | Buffer, headers: Record<string, string> = {}) =>
  JSON.parse(take(body, headers).row.body.toString()) as unknown
const refusal = (act: () => unknown) => {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof OvernightError)) throw error
    return { status: error.status, message: error.message, hint: error.hint }
  }
}

describe('who sent it', () => {
  test('is looked at before what it says, and nothing of it is repeated', () => {
    const said = refusal(() => take('{{{ not json, secret-body', { authorization: 'Bearer wrong-token' }))
    expect(said).toMatchObject({ status: 401, message: 'this is not accepted: the header authorization does not fit' })
    expect(JSON.stringify(said)).not.toMatch(/secret-body|wrong-token|hush/)
  })

  test.each([[[]], [['']], [['', '']]])('without a secret nothing is accepted: %j', (secrets) => {
    const arrived = { headers: { ...json, authorization: 'Bearer ' }, body: Buffer.from('{}') }
    expect(refusal(() => accept(arrived, bearer, { secrets, now }))).toMatchObject({
      status: 503,
      hint: expect.stringContaining('OVERNIGHT_SECRET_ACME') as string,
    })
  })
})

describe('what it says', () => {
  test('JSON is kept byte for byte', () => {
    const body = '{ "a" : 1.0,\n"a": [2] , "\u00e9": "\\u0000" }'
    expect(take(body).row.body.toString()).toBe(body)
  })

  test.each([
    ['a list', '[1,2]', {}, { body: [1, 2] }],
    ['a number', '7', {}, { body: 7 }],
    ['null', 'null', {}, { body: null }],
    ['text', 'hello', { 'content-type': 'text/plain; charset=utf-8' }, { body: 'hello' }],
    ['nothing', '', { 'content-type': 'text/plain' }, { body: '' }],
    ['JSON that says it is text', '{"a":1}', { 'content-type': 'text/plain' }, { a: 1 }],
    ['text that looks like JSON', '{a}', { 'content-type': 'text/plain' }, { body: '{a}' }],
    ['JSON of a type of its own', '{"a":1}', { 'content-type': 'application/vnd.acme+json;v=2' }, { a: 1 }],
    ['JSON with a byte order mark', '\uFEFF{"a":1}', {}, { a: 1 }],
    [
      'a form',
      'command=%2Ffix&text=a+b&x=1&x=2',
      { 'content-type': 'application/x-www-form-urlencoded' },
      { command: '/fix', text: 'a b', x: ['1', '2'] },
    ],
    [
      'a form with JSON in it',
      `payload=${encodeURIComponent('{"type":"block_actions"}')}`,
      { 'content-type': 'application/x-www-form-urlencoded' },
      { type: 'block_actions' },
    ],
    [
      'a form with a payload that is none',
      'payload=%7B',
      { 'content-type': 'application/x-www-form-urlencoded' },
      { payload: '{' },
    ],
  ])('%s', (_what, body, headers, event) => {
    expect(eventOf(body, headers)).toEqual(event)
  })

  test('names of a form that reach into the language are plain names', () => {
    const read = readEvent({
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from('__proto__=x&constructor=y'),
    })
    expect('event' in read && Object.hasOwn(read.event, '__proto__')).toBe(true)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  test.each([
    ['JSON cut off', '{"a":', {}, 400, /it is not JSON/],
    ['no JSON', 'hello', {}, 400, /it is not JSON/],
    ['nothing where JSON should be', '', {}, 400, /it is not JSON/],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), {}, 400, /no UTF-8/],
    ['lists in lists', '['.repeat(100_000) + ']'.repeat(100_000), {}, 400, /nested more than 200 deep/],
    [
      'maps in maps, as text',
      '{"a":'.repeat(300) + '1' + '}'.repeat(300),
      { 'content-type': 'text/plain' },
      400,
      /nested/,
    ],
    ['packed', '{}', { 'content-encoding': 'gzip' }, 415, /packed/],
    ['a batch', '[]', { 'content-type': 'application/cloudevents-batch+json' }, 415, /one by one/],
  ])('refused before it is accepted: %s', (_what, body, headers, status, says) => {
    expect(refusal(() => take(body, headers as Record<string, string>))).toMatchObject({
      status,
      message: expect.stringMatching(says) as string,
    })
  })

  test('brackets in texts are no depth', () => {
    const text = JSON.stringify({ a: '['.repeat(1000), b: '"[\\"'.repeat(300) })
    expect(eventOf(text)).toEqual(JSON.parse(text))
  })

  test('whatever bytes come, they are accepted and can be read again, or refused with a reason', () => {
    const types = [
      'application/json',
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/octet-stream',
      'x',
    ]
    const bodies = fc.oneof(
      fc.uint8Array(),
      fc.json().map((text) => Buffer.from(text)),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    )
    fc.assert(
      fc.property(bodies, fc.constantFrom(...types), (body, type) => {
        const said = refusal(() => take(Buffer.from(body), { 'content-type': type }))
        const { row } = said as { row?: { body: Buffer; key: string } }
        const kept: unknown = row && JSON.parse(row.body.toString())
        expect(row ? typeof kept : (said as { status: number }).status).toBe(row ? 'object' : 400)
      }),
    )
  })
})

describe('what it is called', () => {
  test('by its sender, from a header or the body', () => {
    expect(take('{}', { 'webhook-id': 'msg_1' }).row.key).toBe('msg_1')
    const own = sourceOf(
      'verify: bearer\nsecret: secret:A\nid: [{ header: X-Id }, { body: data.id }]\nevent: { body: kind }',
    )
    expect(take('{"data":{"id":7},"kind":"made"}', {}, own).row).toMatchObject({ key: '7', event: 'made' })
    expect(take('{"data":{"id":7}}', { 'x-id': 'h' }, own).row).toMatchObject({ key: 'h', event: 'event' })
  })

  test('else by its bytes, for ten minutes', () => {
    const first = take('{"a":1}')
    const later = (ms: number, body = '{"a":1}') => {
      const accepted = accept({ headers: json, body: Buffer.from(body) }, bearer, {
        secrets: ['hush'],
        now: new Date(now.getTime() + ms),
      })
      return 'row' in accepted ? accepted : undefined
    }
    expect(first.row.key).toMatch(/^[0-9a-f]{64}:\d+$/)
    expect(later(sameForMs - 1)?.row.key).toBe(first.row.key)
    expect(later(sameForMs)?.row.key).not.toBe(first.row.key)
    expect(later(sameForMs)?.sameWithin).toEqual({ before: first.row.key })
    expect(later(0, '{"a":2}')?.row.key).not.toBe(first.row.key)
  })

  test('a name is kept as the ledger can keep it', () => {
    const source = sourceOf('verify: bearer\nsecret: secret:A\nid: { body: id }\nevent: { body: id }')
    const keyOf = (id: unknown) => take(JSON.stringify({ id }), {}, source).row
    expect(keyOf('a\0b\ud800').key).toBe('a\uFFFDb\uFFFD')
    const long = [keyOf('x'.repeat(5000)), keyOf(`${'x'.repeat(5000)}y`)]
    expect(long[0]!.key).not.toBe(long[1]!.key)
    for (const { key, event } of long) expect([key.length, event.length].every((length) => length <= 200)).toBe(true)
    for (const none of [null, '', {}, [], true]) expect(keyOf(none).key).toMatch(/^[0-9a-f]{64}:/)
  })

  test('headers are kept that say something, never a secret', () => {
    const own = sourceOf(
      'verify: { token: { header: X-Key } }\nsecret: secret:A\nid: { header: X-Id }\nevent: { header: X-Key }',
    )
    const { row } = take(
      '{}',
      { 'x-key': 'hush', 'x-id': '1', cookie: 'c', 'user-agent': 'u'.repeat(2000), 'x-other': 'o' },
      own,
    )
    expect(row.headers).toEqual({ 'content-type': 'application/json', 'x-id': '1', 'user-agent': 'u'.repeat(500) })
  })
})

describe('CloudEvents', () => {
  const attributes = { specversion: '1.0', id: 'A-1', source: '/orders', type: 'order.made', subject: '7' }

  test('in one piece and in headers are the same event', () => {
    const structured = take(JSON.stringify({ ...attributes, data: { total: 5 } }), {
      'content-type': 'application/cloudevents+json; charset=UTF-8',
    })
    const inHeaders = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]))
    const binary = take('{"total":5}', inHeaders)
    expect(JSON.parse(binary.row.body.toString())).toEqual({ ...attributes, data: { total: 5 } })
    for (const one of [structured, binary])
      expect(one).toMatchObject({ row: { key: '/orders A-1', event: 'order.made' }, sameWithin: null })
    expect(take('{}', { ...inHeaders, 'ce-source': '/other' }).row.key).not.toBe('/orders A-1')
  })

  test('in headers: any data, and attributes that are percent-encoded', () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': '%E2%82%AC',
      'ce-source': '/a%20b',
      'ce-type': '100%',
      'content-type': 'text/plain',
    }
    expect(eventOf('hello', headers)).toEqual({
      specversion: '1.0',
      id: '€',
      source: '/a b',
      type: '100%',
      data: 'hello',
    })
  })
})

describe('Slack', () => {
  const slack = { ...sourceOf('verify: slack\nsecret: secret:A', 'slack'), ways: bearer.ways }
  const challenge = JSON.stringify({ type: 'url_verification', challenge: 'c0', token: 't' })

  test('asks whether we are there, and is answered only when it is Slack', () => {
    const arrived = { headers: json, body: Buffer.from(challenge) }
    expect(accept(arrived, slack, { secrets: ['hush'], now })).toEqual({ challenge: 'c0' })
    expect(refusal(() => accept(arrived, slack, { secrets: ['other'], now }))).toMatchObject({ status: 401 })
    expect(take(challenge).row.event).toBe('url_verification')
  })

  test('mentions, commands and buttons have their names', () => {
    const mention = take('{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention"}}', {}, slack)
    expect(mention.row).toMatchObject({ key: 'Ev1', event: 'app_mention' })
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(take('command=%2Ffix&text=it&trigger_id=9.1', form, slack).row).toMatchObject({ key: '9.1', event: '/fix' })
    const button = `payload=${encodeURIComponent('{"type":"block_actions","trigger_id":"9.2"}')}`
    expect(take(button, form, slack).row).toMatchObject({ key: '9.2', event: 'block_actions' })
  })
})
