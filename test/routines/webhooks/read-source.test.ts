import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { formatProblem } from '../../../src/routines/format.ts'
import { readSource } from '../../../src/routines/webhooks/read-source.ts'
import { senders } from '../../../src/routines/webhooks/senders.ts'
import { sourceJsonSchema } from '../../../src/routines/webhooks/source-keys.ts'
import { parse } from 'yaml'

const good = (text: string) => {
  const read = readSource('/w/acme.yaml', text)
  if ('problems' in read) throw new Error(read.problems.map(formatProblem).join('\n'))
  return read.defined
}
const bad = (text: string, name = 'acme.yaml') => {
  const read = readSource(name, text)
  return 'problems' in read ? read.problems.map(formatProblem) : read
}
const own = (more = '') => `verify:\n  hmac:\n    header: X-Sig\n${more}secret: secret:ACME\n`

describe('a source file', () => {
  test.each(Object.keys(senders) as (keyof typeof senders)[])('verify: %s needs nothing but a secret', (name) => {
    expect(good(`verify: ${name}\nsecret: secret:ACME`)).toEqual({
      ...senders[name],
      name: 'acme',
      file: '/w/acme.yaml',
      description: '',
      secrets: ['ACME'],
      poll: null,
    })
  })

  test('a way of its own, with everything written', () => {
    const text = `description: Deploys\nverify:\n  hmac:\n    header: X-Sig\n    prefix: v1=\n    separator: ","\n    algorithm: sha512\n    encoding: base64\n    key: base64\n    signed: "{id}:{ts}:{body}"\n    timestamp: { part: t= }\n    id: X-Id\n    tolerance: 30s\nsecret: [secret:NEW, secret:OLD]\nid: { header: X-Id }\nevent: [{ header: X-Kind }, { body: data.kind }]\n`
    expect(good(text)).toMatchObject({
      description: 'Deploys',
      ways: [
        {
          kind: 'hmac',
          header: 'x-sig',
          prefix: 'v1=',
          separator: ',',
          algorithm: 'sha512',
          encoding: 'base64',
          key: 'base64',
          signed: '{id}:{ts}:{body}',
          timestamp: { part: 't=' },
          id: 'x-id',
          toleranceMs: 30_000,
        },
      ],
      secrets: ['NEW', 'OLD'],
      id: [{ header: 'x-id' }],
      event: [{ header: 'x-kind' }, { body: ['data', 'kind'] }],
    })
  })

  test('the shortest: bearer, a token, and only asked', () => {
    expect(good('verify: bearer\nsecret: secret:A')).toMatchObject({ ways: [{ kind: 'token', prefix: 'Bearer ' }] })
    expect(good('verify: { token: { header: X-Key } }\nsecret: secret:A')).toMatchObject({
      ways: [{ kind: 'token', header: 'x-key', prefix: '' }],
    })
    expect(good('poll: { url: "https://a.example/x", every: 5m }')).toMatchObject({
      ways: [],
      secrets: [],
      poll: { url: 'https://a.example/x', everyMs: 300_000, items: [], id: ['id'], headers: {} },
    })
  })

  test('CRLF and a byte order mark change nothing', () => {
    expect(good('\uFEFFverify: slack\r\nsecret: secret:A\r\n').secrets).toEqual(['A'])
    expect(bad('\uFEFFverify: slack\r\nsecret: A\r\n')).toEqual([
      'acme.yaml:2:9: "secret" must name a secret, such as secret:SENTRY, and never hold one',
    ])
  })
})

describe('what is wrong is said where it was written', () => {
  test.each([
    [
      '',
      [
        'acme.yaml:1:1: nothing says how its deliveries are verified – write verify: with the name of a sender, or poll: for a source that is asked',
      ],
    ],
    ['verify: sentri\nsecret: secret:A', ['acme.yaml:1:9: "verify" cannot be "sentri" – did you mean "sentry"?']],
    ['verfy: sentry\nsecret: secret:A', ['acme.yaml:1:1: unknown key "verfy" – did you mean "verify"?']],
    ['verify: sentry', ['acme.yaml:1:9: there is no secret to verify with – write secret: secret:NAME']],
    [
      'verify: sentry\nsecret: hunter2',
      ['acme.yaml:2:9: "secret" must name a secret, such as secret:SENTRY, and never hold one'],
    ],
    ['verify: sentry\nsecret: []', ['acme.yaml:2:9: "secret" must have an entry']],
    ['verify: sentry\nsecret: [secret:A, secret:B, secret:C]', ['acme.yaml:2:9: "secret" must be at most 2 entries']],
    [
      'verify: sentry\nsecret: secret:a-b',
      ['acme.yaml:2:9: "secret" must name a secret, such as secret:SENTRY, and never hold one'],
    ],
    [
      own('    signed: "{ts}"\n'),
      [
        'acme.yaml:4:13: the body is not signed – write {body} into it',
        'acme.yaml:4:13: nothing says where {ts} is – write timestamp: { header: … } beside it',
      ],
    ],
    [
      own('    timestamp: { header: X-T }\n'),
      ['acme.yaml:4:16: a timestamp that is not signed proves nothing – write {ts} into signed, or leave it out'],
    ],
    [
      own('    signed: "{id}.{body}"\n'),
      ['acme.yaml:4:13: nothing says where {id} is – write id: with the name of the header beside it'],
    ],
    [
      own('    encoding: base32\n'),
      ['acme.yaml:4:15: "verify.hmac.encoding" cannot be "base32" – did you mean "base64"?'],
    ],
    [
      own('    tolerance: 5 minutes\n'),
      ['acme.yaml:4:16: "verify.hmac.tolerance" must be a duration such as 30m, 6h or 2d'],
    ],
    [
      'verify: { token: { header: "X Key" } }\nsecret: secret:A',
      ['acme.yaml:1:28: "verify.token.header" must be the name of a header, such as X-Signature'],
    ],
    [
      'verify: slack\nsecret: secret:A\nid: { body: a..b }',
      ['acme.yaml:3:13: "id.body" must be a path such as event.id'],
    ],
    [
      'verify: slack\nsecret: secret:A\nid: { body: a.__proto__ }',
      ['acme.yaml:3:13: "id.body" names what is never followed'],
    ],
    [
      'verify: slack\nsecret: secret:A\nid: { headr: a }',
      [
        'acme.yaml:3:1: "id.header" is missing – write header: …',
        'acme.yaml:3:7: unknown key "headr" – did you mean "header"?',
      ],
    ],
    ['poll: { url: "https://a.example/", every: 10s }', ['acme.yaml:1:43: that is too often – write 30s or more']],
    [
      'poll: { url: "ftp://a.example/", every: 1m }',
      ['acme.yaml:1:14: "poll.url" must be an address such as https://host/path'],
    ],
    ['verify: {}\nsecret: secret:A', ['acme.yaml:1:9: this must be one way – write hmac: or token:']],
    ['poll: { every: 1m }', ['acme.yaml:1:1: "poll.url" is missing – write url: …']],
    [
      'poll: { url: "https://a.example/", every: 1m }\nsecret: secret:A',
      [
        'acme.yaml:2:9: nothing uses this secret – write verify: for deliveries; what is polled has its secrets in headers',
      ],
    ],
    [
      'poll: { url: "https://a.example/", every: 1m, headers: { "a b": x } }',
      ['acme.yaml:1:58: "a b" is no name of a header'],
    ],
    [
      'poll: { url: "https://a.example/", every: 1m, headers: { a: "x\\ny" } }',
      ['acme.yaml:1:61: "poll.headers.a" must be one line of plain characters'],
    ],
    [
      'poll: { url: "https://ada:hunter2@a.example/", every: 1m }',
      [
        'acme.yaml:1:14: there is a user or a password in the address – take it out, and write headers: { Authorization: "Basic secret:NAME" }',
      ],
    ],
    [
      'poll: { url: "https://a.example/feed/secret:CI/new", every: 1m }',
      [
        'acme.yaml:1:14: a secret is not filled in here: secret:CI would be sent as it is written – write it under headers:, such as { Authorization: "Bearer secret:CI" }',
      ],
    ],
    ...['Authorization', 'x-api-key', 'PRIVATE-TOKEN', 'Cookie'].map((name): [string, string[]] => [
      `poll: { url: "https://a.example/", every: 1m, headers: { ${name}: "hunter2", Accept: a } }`,
      [
        `acme.yaml:1:${60 + name.length}: a credential must not stand in this file – write secret:NAME in its place, such as "Bearer secret:NAME"`,
      ],
    ]),
    ['verify: [slack\nsecret: secret:A', [expect.stringMatching(/^acme.yaml:2:1: /)]],
    [
      'verify: slack\nverify: stripe\nsecret: secret:A',
      ['acme.yaml:2:1: this key is written twice – keep one of them'],
    ],
    ['- verify', ['acme.yaml:1:1: the file must be a map, not a list']],
    ['verify: sl\0ck', [expect.stringMatching(/there is a NUL character/)]],
    [`# ${'x'.repeat(40_000)}`, ['acme.yaml:1:1: the file is larger than 32 KB – write less']],
  ])('%j', (text, problems) => {
    expect(bad(text)).toEqual(problems)
  })

  test.each(['github.yaml', 'Acme.yaml', 'a b.yaml', '-x.yml', '.yaml'])('the name %s', (name) => {
    expect(bad('verify: slack\nsecret: secret:A', name)).toEqual([
      expect.stringMatching(/:1:1: ".*" cannot be the name of a source – rename the file/),
    ])
  })
})

test('the schema for editors takes and refuses the same', () => {
  const ajv = new Ajv({ strict: false })
  addFormats.default(ajv)
  const isValid = ajv.compile(sourceJsonSchema())
  expect(isValid(parse(own('    algorithm: sha1\n')))).toBe(true)
  expect(
    isValid(parse('verify: gitlab\nsecret: [secret:A, secret:B]\npoll: { url: "https://a.example", every: 1m }')),
  ).toBe(true)
  for (const wrong of ['verify: nobody', 'secret: plain', 'pol: {}', 'poll: { url: "https://a.example" }'])
    expect(isValid(parse(wrong))).toBe(false)
  const undescribed = Object.entries(sourceJsonSchema().properties ?? {}).filter(([, { description }]) => !description)
  expect(undescribed).toEqual([])
})
