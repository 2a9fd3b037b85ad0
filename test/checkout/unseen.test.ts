import { describe, expect, test } from 'vitest'
import { findMixed, findUnseen } from '../../src/checkout/unseen.ts'

describe('characters that people do not see', () => {
  test.each([
    [
      'an override',
      'if (level != "user\u202e \u2066// admin\u2069 \u2066") {',
      'U+202E, which turns the direction of text',
    ],
    ['an isolate among Hebrew', '// שלום \u2067 עולם', 'U+2067, which turns the direction of text'],
    ['a space without width', 'pass\u200bword', 'U+200B, which nobody sees'],
    ['a joiner between Latin letters', 'ad\u200dmin', 'U+200D, which nobody sees'],
    ['a mark of direction without anything from the right', 'x\u200e = 1', 'U+200E, which nobody sees'],
    ['a mark of byte order within', 'x\ufeff = 1', 'U+FEFF, which nobody sees'],
    ['a filler of Hangul', 'const {\u3164} = query', 'U+3164, which nobody sees'],
    ['letters as tags', 'text\u{e0048}\u{e0069}', 'U+E0048, which nobody sees'],
    [
      'tags after a flag that ended',
      '\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}\u{e0048}\u{e0049}\u{e004a}',
      'U+E0048, which nobody sees',
    ],
    ['selectors that carry bytes', 'a\ufe01\ufe02\u{e0110}', 'U+FE01, which nobody sees'],
    ['selectors after an emoji', '😀\ufe0f\ufe01', 'U+FE01, which nobody sees'],
    ['a soft hyphen', 'user\u00adname', 'U+00AD, which nobody sees'],
    ['a word joiner', 'a\u2060b', 'U+2060, which nobody sees'],
    ['marks of annotations', 'a\ufff9b', 'U+FFF9, which nobody sees'],
  ])('%s', (_what, text, what) => {
    expect(findUnseen(`// é\n${text}\n`)).toEqual({ at: expect.any(Number) as number, what })
  })

  test.each([
    ['Hebrew', '// שלום עולם, זה קוד (x = 1)'],
    ['Hebrew with marks', '// המשתנה \u200ex\u200e שווה'],
    ['Arabic', '# مرحبا بالعالم'],
    ['Persian with a joiner', '// می\u200cخواهم کتاب\u200cها'],
    ['Hindi with joiners', '// क्\u200dष र्\u200cक'],
    ['emoji', '👩\u200d💻 👍🏽 ❤\ufe0f 1\ufe0f⃣ 👨\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 🧑🏽\u200d🚀'],
    ['the flag of Scotland', '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}'],
    ['a variant of a Chinese character', '葛\u{e0100}飾区'],
    ['what is plain', 'Grüße – “quoted” … ½ € ñ 日本語 한국어 ไทย'],
  ])('but not %s', (_what, text) => expect(findUnseen(text)).toBeUndefined())
})

describe('words of letters that look alike', () => {
  test.each([
    ['Cyrillic а', 'is\u0410dmin', 'is\u0410dmin'],
    ['Cyrillic о first', 'const \u043epen_file = 1', '\u043epen_file'],
    ['Greek Ο', 'R\u039fOT', 'R\u039fOT'],
    ['Armenian', 'sc\u0585pe', 'sc\u0585pe'],
    ['Cherokee', '\u13aapp', '\u13aapp'],
    ['with an accent', 'caf\u0065\u0301\u0430', 'cafe\u0301\u0430'],
  ])('%s', (_what, text, what) => expect(findMixed(`x; ${text};`)).toEqual({ at: expect.any(Number) as number, what }))

  test.each([
    ['Russian', '// Проверка API-метода, JSON-файл, версия 2'],
    ['Greek in formulas', 'const Δx = 3 * μs + kΩ + σ_max + λ1 + πr'],
    ['Chinese beside Latin', '使用API接口 テストtest 한글abc'],
    ['a language of its own', 'имя = "Анна"; όνομα = "Άννα"'],
    ['accents', 'naïve façade Zoë Łódź ﬁn'],
  ])('but not %s', (_what, text) => expect(findMixed(text)).toBeUndefined())
})
