import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { findTokens } from '../../src/checkout/token-shapes.ts'

/** Stands in every token below, so that this file holds none that a scanner would find. */
const cut: string = ''

/** Characters of a set that look random and are the same each time. */
function random(length: number, set = 'A-Za-z0-9'): string {
  const letters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter((letter) =>
    new RegExp(`[${set}]`).test(letter),
  )
  const numbers = Array.from({ length }, (_, at) => createHash('sha256').update(`${at}`).digest().readUInt16BE())
  return numbers.map((number) => letters[number % letters.length]!).join('')
}
const jwt = () => `ey${cut}J${random(30)}.ey${cut}J${random(80)}.${random(43)}`

const real: [what: string, token: string][] = [
  ...['p', 'o', 'u', 's', 'r'].map((kind): [string, string] => ['a GitHub token', `gh${kind}_${random(36)}`]),
  ['a GitHub token', `gh${cut}s_12345_${jwt()}${random(300)}`],
  ['a GitHub token', `github${cut}_pat_${random(22)}_${random(59)}`],
  ['a GitLab token', `gl${cut}pat-${random(20)}`],
  ['an access key of AWS', `AK${cut}IA${random(16, 'A-Z2-7')}`],
  ['a key of Anthropic', `sk${cut}-ant-api03-${random(93, 'A-Za-z0-9_-')}AA`],
  ['a key of Anthropic', `sk${cut}-ant-oat01-${random(93, 'A-Za-z0-9_-')}AA`],
  ['a key of OpenAI', `sk${cut}-proj-${random(74, 'A-Za-z0-9_-')}T3BlbkFJ${random(73)}`],
  ['a key of OpenAI', `sk${cut}-${random(20)}T3BlbkFJ${random(20)}`],
  ['a token of Slack', `xo${cut}xb-123456789012-123456789012-${random(24)}`],
  ['a token of Slack', `https://hooks.${cut}slack.com/services/T01234567/B01234567/${random(24)}`],
  ['a live key of Stripe', `sk${cut}_live_${random(99)}`],
  ['a live key of Stripe', `rk${cut}_live_${random(24)}`],
  ['a token of npm', `np${cut}m_${random(36)}`],
  ['a token of PyPI', `py${cut}pi-AgEIcHlwaS5vcmc${random(150, 'A-Za-z0-9_-')}`],
  ['a key of Google', `AI${cut}za${random(35, 'A-Za-z0-9_-')}`],
  ['a key of Google', `GOC${cut}SPX-${random(28, 'A-Za-z0-9_-')}`],
  ['a token of Hugging Face', `h${cut}f_${random(34, 'A-Za-z')}`],
  ['a token of DigitalOcean', `do${cut}p_v1_${random(64, 'a-f0-9')}`],
  ['a key of SendGrid', `S${cut}G.${random(22)}.${random(43)}`],
  ['a token of Docker Hub', `dck${cut}r_pat_${random(27)}`],
  ['a token of Linear', `lin${cut}_api_${random(40)}`],
  ['a token of Vault', `hv${cut}s.${random(90)}`],
  ['a token of Grafana', `gls${cut}a_${random(32)}_${random(8, 'a-f0-9')}`],
  ['a token of Shopify', `shp${cut}at_${random(32, 'a-f0-9')}`],
  ['a token of Atlassian', `ATA${cut}TT3xFfGF0${random(170)}=1A2B3C4D`],
  ['a token of this service', `ovn_${random(43, 'A-Za-z0-9_-')}`],
  ['a key of age', `AGE${cut}-SECRET-KEY-1${random(58, 'A-Z0-9')}`],
  ['a signed token (JWT)', jwt()],
]

describe('tokens', () => {
  test.each(real)('%s', (what, token) => {
    for (const [before, after] of [
      ['', ''],
      ['key="', '"'],
      ['https://x:', '@example.com/'],
      ['a: ', '\n'],
      ['%20=', '&'],
    ])
      expect(findTokens(`${before}${token}${after}`)).toContainEqual({ what, at: expect.any(Number) as number })
    expect(findTokens(`x = 1\n${token}`)[0]!.at).toBeGreaterThanOrEqual(6)
  })

  const body = `${random(64, 'A-Za-z0-9+/')}\n${random(64, 'A-Za-z0-9+/')}\n`
  test.each([
    ['RSA ', body],
    ['', body],
    ['EC ', body],
    ['OPENSSH ', body],
    ['ENCRYPTED ', body],
    ['RSA ', `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,${random(32, '0-9A-F')}\n\n${body}`],
    ['', body.replaceAll('\n', String.raw`\n`)],
    ['', body.replaceAll(/^/gm, '    ')],
  ])('a private key %#', (kind, text) => {
    const written = `a\n-----BEGIN${cut} ${kind}PRIVATE KEY-----\n${text}`
    expect(findTokens(written)).toEqual([{ what: 'a private key', at: 2 }])
  })
})

describe('what is none', () => {
  test.each([
    ['a placeholder', `gh${cut}p_${'x'.repeat(36)}`],
    ['the example of AWS', `AK${cut}IAIOSFODNN7EXAMPLE`],
    ['a test key of Stripe', `sk${cut}_test_${random(24)}`],
    ['a name in code', 'const ghp_token_of = sk_live; npm_config_registry=npm_lifecycle_event'],
    ['a longer word', `digh${cut}p_${random(36)}`],
    ['something that is too short', `gh${cut}p_${random(19)} np${cut}m_${random(30)}`],
    ['something that is too long', `np${cut}m_${random(37)} AI${cut}za${random(40)}`],
    [
      'a commit, a digest, an id',
      `${random(40, 'a-f0-9')} sha512-${random(86)}== 3f2b8c1e-9d4a-4b7c-8e2f-1a2b3c4d5e6f`,
    ],
    ['a public key', `-----BEGIN${cut} PUBLIC KEY-----\n${random(64)}`],
    ['a certificate', `-----BEGIN${cut} CERTIFICATE-----\n${random(64)}`],
    ['the head of a key in a sentence', `lines begin with -----BEGIN${cut} RSA PRIVATE KEY----- and end so`],
    ['two parts of a signed token', `ey${cut}J${random(30)}.ey${cut}J${random(80)}`],
    ['an image', `data:image/png;base64,iVBORw0KGgo${random(300, 'A-Za-z0-9+/')}`],
  ])('%s', (_what, text) => expect(findTokens(text)).toEqual([]))
})

test.each([
  ['beginnings of a token', `gh${cut}p_`],
  ['beginnings of signed tokens', `ey${cut}J`],
  ['beginnings of signed tokens with marks', `ey${cut}J-`],
  ['heads of keys', `-----BEGIN${cut} RSA PRIVATE KEY-----`],
  ['one letter', 'A'],
  ['keys of PyPI', `py${cut}pi-AgE`],
])('a line of %s is read in a time that its length decides', (_what, part) => {
  const timeOf = (bytes: number) => {
    const text = part.repeat(Math.ceil(bytes / part.length))
    const before = process.cpuUsage().user
    findTokens(text)
    return (process.cpuUsage().user - before) / 1000
  }
  timeOf(100_000)
  // Where time went with the square, sixteen times as much would take minutes.
  expect(timeOf(1_600_000)).toBeLessThan(4000)
})
