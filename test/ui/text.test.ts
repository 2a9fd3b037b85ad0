import { assert, constantFrom, oneof, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { html } from '../../src/ui/html.ts'
import { visible } from '../../src/ui/visible.ts'
import { nasty } from '../support/nasty.ts'

test.each([
  ['plain text, Ünïcödé and 漢字', 'plain text, Ünïcödé and 漢字'],
  ['tab\tand\nnewline stay', 'tab\tand\nnewline stay'],
  ['\u001b[31mred\u001b[0m', '␛[31mred␛[0m'],
  ['bell\u0007, null\u0000, delete\u007f, return\r', 'bell␇, null␀, delete␡, return␍'],
  ['\u202egnp.exe', '⟨U+202E⟩gnp.exe'],
  ['pass\u200bword', 'pass⟨U+200B⟩word'],
  ['soft\u00adhyphen', 'soft⟨U+00AD⟩hyphen'],
  ['\u{e0061}', '⟨U+E0061⟩'],
  ['lone \ud83d', 'lone ⟨U+D83D⟩'],
  ['family 👨‍👩‍👧, heart ❤️, flag 🏳️‍🌈', 'family 👨‍👩‍👧, heart ❤️, flag 🏳️‍🌈'],
  ['a\ufe0fb', 'a⟨U+FE0F⟩b'],
  ['latin\u200djoiner', 'latin⟨U+200D⟩joiner'],
  ['می\u200cخواهم', 'می\u200cخواهم'],
])('%j is shown as %j', (text, shown) => {
  expect(visible(text)).toBe(shown)
})

test('what is visible stays as it is when shown again', () => {
  assert(property(string({ unit: 'binary' }), (text) => visible(visible(text)) === visible(text)))
})

test('no text can write markup, whatever it is and wherever it stands', () => {
  const texts = oneof(constantFrom(...nasty), string({ unit: 'binary' }))
  assert(
    property(texts, (text) => {
      const page = String(html`<p title="${text}">${[text, html`<b>${text}</b>`]}</p>`)
      expect(page.match(/<[^>]*>/g)?.map((tag) => tag.replace(/ title="[^"<>]*"/, ' title'))).toEqual([
        '<p title>',
        '<b>',
        '</b>',
        '</p>',
      ])
    }),
  )
})
