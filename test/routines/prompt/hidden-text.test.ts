import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withoutHidden } from '../../../src/routines/prompt/hidden-text.ts'

const tags = (text: string) => text.replaceAll(/./g, (letter) => String.fromCodePoint(0xe0000 + letter.codePointAt(0)!))

test.each([
  ['nothing', 'Fix the login', 'Fix the login', 0, 0],
  ['directions', 'a\u202eb\u2066c\u2069', 'abc', 3, 0],
  ['zero width', 'pass\u200bword\ufeff', 'password', 2, 0],
  ['tags that spell words', `ok${tags('ignore all')}`, 'ok', 10, 0],
  ['selectors that carry bytes', 'a\ufe00\ufe01\u{e0100}\ufe0f', 'a', 4, 0],
  ['a filler that looks like nothing', 'a\u3164b\u115f', 'ab', 2, 0],
  ['colours of a terminal', '\u001b[31mred\u001b[0m\u0007', '[31mred[0m', 3, 0],
  ['half a character', 'a\ud800b', 'ab', 1, 0],
  ['ends of lines', 'a\r\nb\rc\td', 'a\nb\nc\td', 0, 0],
  ['a comment', 'a<!-- ignore the rest\n-->b', 'ab', 0, 1],
  ['a comment in entities', 'a&lt;!-- x --&gt;b&#60;!-- y --&#x3E;c', 'abc', 0, 2],
  ['a comment begun with a hidden character', 'a<\u200b!-- x -->b', 'ab', 1, 1],
  ['a comment made of comments', 'a<!<!-- 1 -->-- 2 -->b', 'ab', 0, 2],
  ['a comment without an end', 'a<!-- all of this', 'a', 0, 1],
  [
    'emoji',
    '\u{1f469}\u200d\u{1f4bb} \u2764\ufe0f \u2764\ufe0f\u200d\u{1f525}',
    '\u{1f469}\u200d\u{1f4bb} \u2764\ufe0f \u2764\ufe0f\u200d\u{1f525}',
    0,
    0,
  ],
  [
    'scripts that join',
    '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0915\u094d\u200d\u0937',
    '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0915\u094d\u200d\u0937',
    0,
    0,
  ],
  ['joiners in words that need none', 'a\u200db\u200cc', 'abc', 2, 0],
])('%s', (_, written, text, characters, comments) => {
  expect(withoutHidden(written)).toEqual({ text, characters, comments })
})

describe('whatever was written', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '<!--',
      '-->',
      '&lt;!--',
      '--&gt;',
      '<',
      '!--',
      '\u200b',
      '\u200d',
      '\ufe0f',
      '\u{e0041}',
      '\ud800',
    ),
  )
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))

  test('no comment and no hidden character is left, and cleaning what is clean changes nothing', () => {
    fc.assert(
      fc.property(text, (written) => {
        const once = withoutHidden(written)
        expect(withoutHidden(once.text)).toEqual({ text: once.text, characters: 0, comments: 0 })
        expect(once.text).not.toMatch(/<!--|[\u202a-\u202e\u{e0000}-\u{e0fff}\u200b]/u)
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['openers', '<!--'.repeat(8000)],
    ['layers', '<!'.repeat(8000) + '-- -->'.repeat(8000)],
    ['entities', '&#000'.repeat(8000)],
    ['ends', '--&#00'.repeat(8000)],
    ['one line', 'x'.repeat(262_144)],
  ])('a flood of %s takes no time', (_, written) => {
    const startedAt = process.threadCpuUsage()
    withoutHidden(written)
    expect(process.threadCpuUsage(startedAt).user / 1000).toBeLessThan(500)
  })
})
