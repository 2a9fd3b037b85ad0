import { expect, test } from 'vitest'
import { redacted } from '../../../src/http/redacted.ts'
import { parseJson } from '../../../src/triggers/webhook/read-event.ts'

/** Of this process, so that others on the machine do not count. */
function cpuMsOf(act: () => unknown): number {
  const before = process.cpuUsage()
  act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

// Anybody who may send events may send these: each is read in the one thread that serves everybody.
const mb = 1024 * 1024
const hostile: [string, string][] = [
  ['a string of escaped quotes that never closes', `["${'\\"'.repeat(mb / 2)}`],
  ['one that ends with a backslash', `["${'\\"'.repeat(mb / 2)}\\`],
  ['one of backslashes', `["${'\\'.repeat(mb)}`],
  ['quotes', '"'.repeat(mb)],
  ['secrets that never close', `{${String.raw`"token":"\"`.repeat(mb / 10)}\\`],
]
test.each(hostile)('%s is looked through in one go', (_, text) => {
  expect(cpuMsOf(() => parseJson(text))).toBeLessThan(500)
  expect(cpuMsOf(() => redacted(text))).toBeLessThan(1000)
})

test.each([
  ['[]', { value: [] }],
  [String.raw`["\\",["]"],"\"[[["]`, { value: ['\\', [']'], '"[[['] }],
  [`${'['.repeat(200)}${']'.repeat(200)}`, { value: expect.anything() }],
  [`"${'['.repeat(300)}"`, { value: '['.repeat(300) }],
  [`["\\\\",${'['.repeat(200)}`, { unreadable: 'it is nested more than 200 deep' }],
  [`["\\"",${'['.repeat(200)}`, { unreadable: 'it is nested more than 200 deep' }],
  ['["', { unreadable: 'it is not JSON' }],
])('%s', (text, expected) => expect(parseJson(text)).toEqual(expected))
