import { createHmac } from 'node:crypto'
import { sign as signAsGitHub } from '@octokit/webhooks-methods'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { Stripe } from 'stripe'
import { describe, expect, test } from 'vitest'
import { plainHmac, senders, type SenderName } from '../../../src/routines/webhooks/senders.ts'
import type { Way } from '../../../src/routines/webhooks/source.ts'
import { findForgery } from '../../../src/triggers/webhook/verify.ts'

const now = new Date('2026-11-21T16:00:00Z')
const seconds = Math.floor(now.getTime() / 1000)
const secret = 'a secret between two'
const whsec = `whsec_${Buffer.from('twenty-four bytes of key').toString('base64')}`

type Sent = { headers: Record<string, string>; body: string | Buffer }
type Check = { ways: readonly Way[]; secrets?: readonly string[]; now?: Date }
const forgery = ({ headers, body }: Sent, { ways, secrets = [secret], ...more }: Check) => {
  const known = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return findForgery({ header: (name) => known.get(name), body: Buffer.from(body) }, ways, { secrets, now, ...more })
}
const hex = (text: string | Buffer, key = secret, algorithm = 'sha256') =>
  createHmac(algorithm, key).update(text).digest('hex')

const body = JSON.stringify({ id: 'evt_1', webhookTimestamp: now.getTime(), text: 'grün\u2028 "quoted"' })

/** What each sender sends: signed by its own library where there is one in reach, else by its documentation. */
const signed: Record<SenderName, (secret: string) => Sent | Promise<Sent>> = {
  standard: (key) => ({
    headers: {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(seconds),
      'webhook-signature': new Webhook(key).sign('msg_1', now, body),
    },
    body,
  }),
  github: async (key) => ({ headers: { 'X-Hub-Signature-256': await signAsGitHub(key, body) }, body }),
  gitlab: (key) => ({ headers: { 'X-Gitlab-Token': key }, body }),
  gitea: (key) => ({ headers: { 'X-Gitea-Signature': hex(body, key) }, body }),
  slack: (key) => ({
    headers: {
      'X-Slack-Request-Timestamp': String(seconds),
      'X-Slack-Signature': `v0=${hex(`v0:${seconds}:${body}`, key)}`,
    },
    body,
  }),
  stripe: (key) => ({
    headers: {
      'Stripe-Signature': Stripe.webhooks.generateTestHeaderString({ payload: body, secret: key, timestamp: seconds }),
    },
    body,
  }),
  linear: (key) => ({ headers: { 'Linear-Signature': hex(body, key) }, body }),
  sentry: (key) => ({ headers: { 'Sentry-Hook-Signature': hex(body, key) }, body }),
  pagerduty: (key) => ({ headers: { 'X-PagerDuty-Signature': `v1=${hex(body, 'other')},v1=${hex(body, key)}` }, body }),
  alertmanager: (key) => ({ headers: { Authorization: `Bearer ${key}` }, body }),
  grafana: (key) => ({ headers: { Authorization: `bearer ${key}` }, body }),
}
const names = Object.keys(signed) as SenderName[]
const secretOf = (name: SenderName) => (name === 'standard' ? whsec : secret)

describe.each(names)('%s', (name) => {
  const { ways } = senders[name]
  const mine = secretOf(name)
  const other =
    name === 'standard' ? `whsec_${Buffer.from('another key of 24 bytes.').toString('base64')}` : 'other one'

  test('what it signs passes, with the older of two secrets, too', async () => {
    const sent = await signed[name](mine)
    expect(forgery(sent, { ways, secrets: [mine] })).toBeUndefined()
    expect(forgery(sent, { ways, secrets: [other, mine] })).toBeUndefined()
  })

  test('another secret, an empty one and none do not', async () => {
    const sent = await signed[name](mine)
    for (const secrets of [[], [''], ['', '']])
      expect(forgery(sent, { ways, secrets })).toBe('there is no secret to check it with')
    expect(forgery(sent, { ways, secrets: [other] })).toMatch(/does not fit/)
    expect(forgery(sent, { ways, secrets: ['', other] })).toMatch(/does not fit/)
  })

  test('without its headers, or with empty ones, nothing passes', async () => {
    const { headers } = await signed[name](mine)
    expect(forgery({ headers: {}, body }, { ways, secrets: [mine] })).toMatch(/^the header .+ is missing$/)
    for (const header of Object.keys(headers)) {
      const { [header]: _, ...rest } = headers
      expect(forgery({ headers: rest, body }, { ways, secrets: [mine] })).toBeDefined()
      expect(forgery({ headers: { ...headers, [header]: '' }, body }, { ways, secrets: [mine] })).toBeDefined()
    }
  })
})

const signing = names.filter((name) => senders[name].ways.every((way) => way.kind === 'hmac'))

test.each(signing)('%s: no byte of the body and no character of a signed header may change', async (name) => {
  const sent = await signed[name](secretOf(name))
  const check = { ways: senders[name].ways, secrets: [secretOf(name)] }
  const bytes = Buffer.from(sent.body)
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const tampered = Buffer.from(bytes)
      tampered[at]! ^= flip
      expect(forgery({ ...sent, body: tampered }, check)).toBeDefined()
    }),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(sent.headers)),
      fc.nat(),
      fc.integer({ min: 33, max: 126 }),
      (header, at, code) => {
        const value = sent.headers[header]!
        const index = at % value.length
        const tampered = value.slice(0, index) + String.fromCharCode(code) + value.slice(index + 1)
        fc.pre(tampered !== value)
        // Of several signatures in a list one is enough: the first of these two is foreign.
        const isForeign = name === 'pagerduty' && index < value.indexOf(',')
        const found = forgery({ ...sent, headers: { ...sent.headers, [header]: tampered } }, check)
        expect(found === undefined).toBe(isForeign)
      },
    ),
  )
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), (length) => {
      expect(forgery({ ...sent, body: bytes.subarray(0, length) }, check)).toBeDefined()
    }),
  )
})

test.each(['standard', 'slack', 'stripe', 'linear'] as const)(
  '%s: what was sent long ago, or will be, is refused',
  async (name) => {
    const sent = await signed[name](secretOf(name))
    const tolerance = name === 'linear' ? 60 : 300
    const at = (offset: number) =>
      forgery(sent, {
        ways: senders[name].ways,
        secrets: [secretOf(name)],
        now: new Date(now.getTime() + offset * 1000),
      })
    expect(at(tolerance)).toBeUndefined()
    expect(at(-tolerance)).toBeUndefined()
    for (const offset of [tolerance + 1, -tolerance - 1, 86_400])
      expect(at(offset)).toBe(
        `it was sent more than ${tolerance} s before or after now; see whether the clocks are right`,
      )
  },
)

describe('Standard Webhooks', () => {
  // https://github.com/standard-webhooks/standard-webhooks: the vector of its libraries' tests, and their negative cases.
  const key = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const good = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  }
  const text = '{"test": 2432232314}'
  const then = new Date(1_614_265_330_000)
  const check = (headers: Record<string, string>, more: Partial<Check> = {}) =>
    forgery({ headers, body: text }, { ways: senders.standard.ways, secrets: [key], now: then, ...more })
  const foreign = 'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='

  test('the published vector', () => {
    expect(check(good)).toBeUndefined()
    expect(check(good, { secrets: [key.slice('whsec_'.length)] })).toBeUndefined()
    expect(check({ ...good, 'webhook-signature': `${foreign} v2,x ${good['webhook-signature']} v1,` })).toBeUndefined()
    const svix = Object.fromEntries(
      Object.entries(good).map(([name, value]) => [name.replace('webhook', 'svix'), value]),
    )
    expect(check(svix)).toBeUndefined()
  })

  test.each([
    ['no id', { 'webhook-id': undefined }],
    ['no timestamp', { 'webhook-timestamp': undefined }],
    ['no signature', { 'webhook-signature': undefined }],
    ['another id', { 'webhook-id': 'msg_other' }],
    ['another time', { 'webhook-timestamp': '1614265331' }],
    ['a time that is none', { 'webhook-timestamp': 'hello' }],
    ['a time with something after it', { 'webhook-timestamp': '1614265330.0' }],
    ['another signature', { 'webhook-signature': foreign }],
    ['no version', { 'webhook-signature': good['webhook-signature'].slice(3) }],
    ['another version', { 'webhook-signature': good['webhook-signature'].replace('v1', 'v2') }],
    ['the asymmetric version', { 'webhook-signature': good['webhook-signature'].replace('v1', 'v1a') }],
    ['a part of it', { 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ' }],
    ['only the version', { 'webhook-signature': 'v1,' }],
    ['commas between', { 'webhook-signature': `${foreign},${good['webhook-signature']}` }],
    ['another spelling of it', { 'webhook-signature': good['webhook-signature'].replace('OE=', 'OF=') }],
  ])('%s', (_what, change) => {
    const headers = Object.fromEntries(
      Object.entries({ ...good, ...change }).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])),
    )
    expect(check(headers)).toBeDefined()
  })

  test('too old, too new, and a secret that is no key', () => {
    expect(check(good, { now: new Date(then.getTime() + 301_000) })).toMatch(/more than 300 s/)
    expect(check(good, { now: new Date(then.getTime() - 301_000) })).toMatch(/more than 300 s/)
    expect(check(good, { secrets: ['whsec_'] })).toMatch(/does not fit/)
    expect(check(good, { secrets: ['!!!'] })).toMatch(/does not fit/)
  })
})

describe('a sender of one’s own', () => {
  const cases: [what: string, own: Partial<typeof plainHmac>, signature: string][] = [
    ['SHA-1, hex', { algorithm: 'sha1', prefix: 'sha1=' }, `sha1=${hex(body, secret, 'sha1')}`],
    ['SHA-512, hex', { algorithm: 'sha512' }, hex(body, secret, 'sha512')],
    ['base64', { encoding: 'base64' }, createHmac('sha256', secret).update(body).digest('base64')],
    ['text around the body', { signed: 'x{body}y' }, hex(`x${body}y`)],
    ['what looks like a mark in the body is not filled', { signed: '{body}' }, hex(body)],
  ]
  test.each(cases)('%s', (_what, own, signature) => {
    const ways = [{ ...plainHmac, ...own }]
    expect(forgery({ headers: { 'X-Signature': signature }, body }, { ways })).toBeUndefined()
    expect(forgery({ headers: { 'X-Signature': signature.toUpperCase() }, body }, { ways })).toBeDefined()
    expect(forgery({ headers: { 'X-Signature': `${signature}, ${signature}` }, body }, { ways })).toBeDefined()
  })

  test('GitLab: a signature that does not fit is not made good by a token', () => {
    const headers = {
      'webhook-signature': 'v1,AAAA',
      'webhook-id': 'm',
      'webhook-timestamp': String(seconds),
      'X-Gitlab-Token': secret,
    }
    expect(forgery({ headers, body }, { ways: senders.gitlab.ways })).toBe('the signature does not fit')
  })
})
