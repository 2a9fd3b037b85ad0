import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deliveryBody } from '../../src/http/api/delivery-body.ts'
import { redacted, redactedHeaders } from '../../src/http/redacted.ts'
import { cpuMs } from '../routines/reading/reading.ts'

const long = (length: number, letters = 'aB3') => letters.repeat(length).slice(0, length)
const secrets = [
  `ghp_${long(36)}`,
  `ghs_${long(200)}.${long(80)}`,
  `github_pat_${long(60)}`,
  `glpat-${long(20)}`,
  `xoxb-${long(24)}`,
  `sk-ant-api03-${long(40)}`,
  ['sk', 'live', long(24)].join('_'),
  `whsec_${long(32)}`,
  'AKIAIOSFODNN7EXAMPLE',
  `AIza${long(35)}`,
  `eyJhbGciOiJIUzI1NiJ9.${long(40)}.${long(40)}`,
  `-----BEGIN RSA PRIVATE KEY-----\n${long(64)}\n-----END RSA PRIVATE KEY-----`,
]
const padding = fc.string({ maxLength: 40 }).map((text) => `${text} `)

describe('what is shown of an event', () => {
  test.each(secrets)('no %s, wherever it stands', (secret) => {
    fc.assert(
      fc.property(padding, padding, (before, after) => {
        expect(redacted(`${before}${secret} ${after}`)).not.toContain(secret)
        const body = Buffer.from(JSON.stringify({ text: `${before}${secret}`, after }))
        const shown = deliveryBody(body, body.length)
        expect(shown.text).not.toContain(secret)
        expect(JSON.stringify(shown.json)).not.toContain(JSON.stringify(secret).slice(1, -1))
      }),
      { numRuns: 20 },
    )
  })

  test('no value that is called a credential, as JSON, as a form, in an address, behind Bearer', () => {
    const json = Buffer.from(
      '{"token": "a\\"b", "client_secret":"xyz", "nested": [{"X-Api-Key": "k"}], "tokens_used": 3, "author": "ada"}',
    )
    expect(deliveryBody(json, json.length).json).toEqual({
      token: '[redacted]',
      client_secret: '[redacted]',
      nested: [{ 'X-Api-Key': '[redacted]' }],
      tokens_used: 3,
      author: 'ada',
    })
    expect(redacted('token=abc&text=hello&ssh_password=b')).toBe('token=[redacted]&text=hello&ssh_password=[redacted]')
    expect(redacted('https://ada:pass@example.org/x')).toBe('https://ada:[redacted]@example.org/x')
    expect(redacted(`Authorization: Bearer ${long(20)}`)).toBe('Authorization: Bearer [redacted]')
  })

  test.each([
    [
      'a first parameter',
      'see https://x.org/a?access_token=abc&page=2',
      'see https://x.org/a?access_token=[redacted]&page=2',
    ],
    ['a fragment', '{"url":"https://x.org/#id_token=abc","b":1}', '{"url":"https://x.org/#id_token=[redacted]","b":1}'],
    ['a number', '{"password": 12345, "n": 1}', '{"password": "[redacted]", "n": 1}'],
    ['a list', '{"secrets":["a]", "b"], "n": [1]}', '{"secrets":"[redacted]", "n": [1]}'],
    ['a cut list', '{"token":["a', '{"token":"[redacted]"'],
    ['Basic', 'curl -H "Authorization: Basic YTpi" x', 'curl -H "Authorization: Basic [redacted]" x'],
    ['Slack', '"https://hooks.slack.com/actions/T0/1/aBc", 1', '"https://hooks.slack.com/[redacted]", 1'],
    ['Slack, escaped', '"https:\\/\\/hooks.slack.com\\/commands\\/T0\\/1"', '"https:\\/\\/hooks.slack.com/[redacted]"'],
    [
      'JSON in JSON',
      String.raw`{"m":"{\"token\": \"abc\",\"n\":1}"}`,
      String.raw`{"m":"{\"token\": \"[redacted]\",\"n\":1}"}`,
    ],
    ['JSON in a form', 'payload=%7B%22token%22%3A%22abc%22%7D', 'payload=%7B%22token%22%3A%22[redacted]%22%7D'],
    ['plain words', 'a basic understanding of tokens: 3', 'a basic understanding of tokens: 3'],
  ])('not as %s', (_, text, shown) => {
    expect(redacted(text)).toBe(shown)
  })

  test('not lists, numbers or objects that are called so; counts and switches are none', () => {
    const body = Buffer.from(
      '{"token":[["a"]],"pin_password":12,"credentials":{"user":"ada","pass":"b"},"tokens":7,"has_token":true,"secret":null,"deep":[{"api_key":{"x":1}}]}',
    )
    expect(deliveryBody(body, body.length).json).toEqual({
      token: '[redacted]',
      pin_password: '[redacted]',
      credentials: '[redacted]',
      tokens: 7,
      has_token: true,
      secret: null,
      deep: [{ api_key: '[redacted]' }],
    })
  })

  test('not one that is written as an escape, either', () => {
    const secret = secrets[0]!
    const body = Buffer.from(`{"text":"\\u0067${secret.slice(1)}"}`)
    expect(deliveryBody(body, body.length).json).toEqual({ text: '[redacted]' })
  })

  test('of headers nothing that proves the sender', () => {
    const proofs = {
      'x-hub-signature-256': 'sha256=1',
      'webhook-signature': 'v1,x',
      'x-gitlab-token': 'a',
      cookie: 'b',
    }
    expect(redactedHeaders({ ...proofs, 'x-github-event': 'push', 'user-agent': secrets[0]! })).toEqual({
      'x-github-event': 'push',
      'user-agent': '[redacted]',
    })
  })

  test('all of the rest', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const body = Buffer.from(JSON.stringify({ value }))
        const { json, text, cut } = deliveryBody(body, body.length)
        expect(JSON.parse(text)).toEqual(JSON.parse(String(body)))
        // What is nested deeper than people read is given as text alone.
        expect(json ?? JSON.parse(text)).toEqual(JSON.parse(text))
        expect(cut).toBe(false)
      }),
      { numRuns: 100 },
    )
  })

  test.each([
    ['cut off', Buffer.from('{"a": "b'), 100],
    ['no JSON', Buffer.from('payload=%7B%7D'), 14],
    ['too deep', Buffer.from('['.repeat(65) + ']'.repeat(65)), 130],
    ['no UTF-8', Buffer.from([0xff, 0xfe, 0x00]), 3],
    ['empty', Buffer.alloc(0), 0],
  ])('a body that is %s is text', (_, bytes, length) => {
    expect(deliveryBody(bytes, length)).toMatchObject({ json: undefined, bytes: length, cut: bytes.length < length })
  })

  test.each([
    ['brackets', '['],
    ['quotes', '"'],
    ['backslashes', '"\\'],
    ['the beginning of a token', 'eyJ'],
    ['halves of tokens', 'eyJaaaaaaaaa.'],
    ['keys of keys', '"token":'],
    ['begun keys', '-----BEGIN PRIVATE KEY-----'],
    ['addresses', '://a:b'],
    ['Bearer', 'Bearer '],
    ['words', 'token_'],
    ['lists that never close', '"token":["'],
    ['escaped names', '\\"token\\":'],
    ['backslashes alone', '\\'],
    ['addresses of Slack', 'hooks.slack.com/'],
    ['parameters', '?token='],
    ['signing in', 'authorization: basic '],
  ])('256 KB of %s cost no second', (_, piece) => {
    const body = Buffer.from(piece.repeat(Math.floor(262_144 / piece.length)))
    const start = cpuMs()
    deliveryBody(body, body.length)
    expect(cpuMs() - start).toBeLessThan(1000)
  })
})
