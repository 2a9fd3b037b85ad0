import { expect, test } from 'vitest'
import { isTooIntricate } from '../../src/relay/intricacy.ts'

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const wide = (parts: number) => `[${'{},'.repeat(parts)}{}]`

test.for([
  ['an object', '{"a":[1,{"b":null}]}', false],
  ['deep', nested(1000), false],
  ['too deep', nested(1001), true],
  ['too deep, in objects', '{"a":'.repeat(1001), true],
  ['wide', wide(200_000), false],
  ['too wide', wide(300_000), true],
  ['numbers without end', `[${'1,'.repeat(600_000)}1]`, true],
  ['a long text', JSON.stringify({ text: '[{,"\\'.repeat(600_000) }), false],
  ['an end within an escape', '{"a":"\\', false],
  ['after a text that ends with a backslash', `["\\\\",${nested(1000)}]`, true],
  ['nothing', '', false],
] as const)('%s', ([, json, isRefused]) => {
  expect(isTooIntricate(Buffer.from(json))).toBe(isRefused)
})
