import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { readSource } from '../../../src/routines/webhooks/read-source.ts'
import { accept } from '../../../src/triggers/webhook/accept.ts'

const now = new Date('2026-11-21T16:00:00Z')
const seconds = now.getTime() / 1000
const hex = (text: string) => createHmac('sha256', 'hush').update(text).digest('hex')

/** How it comes to be known: what it is called, and what was signed. */
function named(file: string, body: string, headers: Record<string, string>) {
  const read = readSource('acme.yaml', `${file}\nsecret: secret:ACME\n`)
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  const arrived = { headers: { 'content-type': 'application/json', ...headers }, body: Buffer.from(body) }
  const accepted = accept(arrived, read.defined, { secrets: ['hush'], now })
  if ('challenge' in accepted) throw new Error('a challenge')
  return { key: accepted.row.key, signed: accepted.row.signed }
}

test('a copy under a name that nobody signed is known by what was signed', () => {
  const body = JSON.stringify({ webhookTimestamp: now.getTime(), type: 'Issue' })
  const linear = (id: string, text = body) =>
    named('verify: linear', text, { 'linear-delivery': id, 'linear-signature': hex(text) })
  const [one, copy] = [linear('1'), linear('2')]
  expect([one.key, copy.key]).toEqual(['1', '2'])
  expect(one.signed).toMatch(/^[0-9a-f]{64}$/)
  expect(copy.signed).toBe(one.signed)
  expect(linear('1', JSON.stringify({ webhookTimestamp: now.getTime() + 1, type: 'Issue' })).signed).not.toBe(
    one.signed,
  )
})

test('a name in a header of another way changes nothing, nor does the order of signatures', () => {
  const svix = (more: Record<string, string>) =>
    named(
      'verify: { hmac: { header: X-Sig, prefix: v1=, separator: ",", signed: "{id}.{ts}.{body}", timestamp: { header: X-Time }, id: X-Id } }',
      '{}',
      {
        'x-sig': `v1=${hex(`m1.${seconds}.{}`)}`,
        'x-time': String(seconds),
        'x-id': 'm1',
        ...more,
      },
    )
  const plain = svix({})
  const copy = svix({ 'webhook-id': 'other', 'x-sig': `v1=00,v1=${hex(`m1.${seconds}.{}`)}` })
  expect(copy.key).not.toBe(plain.key)
  expect(copy.signed).toBe(plain.signed)
})

test.each([
  ['no time', 'verify: sentry', { 'sentry-hook-signature': hex('{}') }],
  ['nothing', 'verify: bearer', { authorization: 'Bearer hush' }],
])('where %s is signed the same may be said again, years later', (_what, file, headers) => {
  expect(named(file, '{}', headers).signed).toBeUndefined()
})
