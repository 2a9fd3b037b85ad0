import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRedaction } from '../../src/secrets/redaction.ts'

function knowing(...values: string[]) {
  const redaction = createRedaction()
  values.forEach((value, index) => redaction.learn({ name: `S${index}`, value }))
  return redaction
}

const token = 'kx_Zq7/Lw+9mT&4v"é'
const bytes = Buffer.from(token)
const forms: Record<string, string> = {
  plain: token,
  'in JSON': JSON.stringify(token).slice(1, -1),
  'in JSON in JSON': JSON.stringify(JSON.stringify(token)).slice(3, -3),
  'in JSON as Go writes it': String.raw`kx_Zq7/Lw+9mT\u00264v\"é`,
  'in JSON as Python writes it': String.raw`kx_Zq7/Lw+9mT&4v\"\u00e9`,
  'in JSON as PHP writes it': String.raw`kx_Zq7\/Lw+9mT&4v\"\u00e9`,
  'in a URL': encodeURIComponent(token),
  'in a URL, lower case': encodeURIComponent(token).replaceAll(/%../g, (code) => code.toLowerCase()),
  'in a form': new URLSearchParams({ q: token }).toString().slice(2),
  'in the path of a URL': encodeURI(token),
  hexadecimal: bytes.toString('hex'),
  'hexadecimal, upper case': bytes.toString('hex').toUpperCase(),
  base64: bytes.toString('base64'),
  base64url: bytes.toString('base64url'),
  'base64 after a byte': Buffer.from(`:${token}`).toString('base64'),
  'base64 after two bytes': Buffer.from(`u:${token}`).toString('base64'),
  'base64 of a header': Buffer.from(`x-access-token:${token}\n`).toString('base64'),
  'wrapped base64': bytes.toString('base64').replaceAll(/.{9}/g, '$&\r\n'),
  'wrapped by a terminal': `${token.slice(0, 9)}\n${token.slice(9)}`,
}

test.each(Object.entries(forms))('a value is replaced %s', (_what, form) => {
  const redaction = knowing(token)
  const said = redaction.text(`before ${form} after`)
  expect(said).toMatch(/^before (eC1hY2Nlc3MtdG9rZW46|.{0,4})\[secret S0\].{0,6} after$/s)
  const stream = redaction.stream()
  const pieces = Array.from(`before ${form} after`).map((character) => stream.push(character))
  expect(pieces.join('') + stream.end()).toBe(said)
})

test('of a value with several lines each is replaced, however it is indented', () => {
  const lines = [
    '-----BEGIN PRIVATE KEY-----',
    'MIIEvQIBADANBgkqhkiG9w0B',
    'AQEFAASCBKcwggSjAgEAAoIB',
    '-----END PRIVATE KEY-----',
  ]
  const redaction = knowing(`${lines.join('\n')}\n`)
  expect(redaction.text(`key:\n${lines.map((line) => `    ${line}\n`).join('')}`)).toBe(
    `key:\n    ${lines[0]}\n    [secret S0]\n    [secret S0]\n    ${lines[3]}\n`,
  )
  expect(redaction.text(lines.join('\r\n'))).toBe('[secret S0]')
  expect(redaction.text(JSON.stringify({ key: lines.join('\n') }))).toBe('{"key":"[secret S0]"}')
})

test('what is too short to be told from ordinary text is left alone', () => {
  expect(knowing('', 'a', 'summer', '1234567').text('a summer of 1234567 days')).toBe('a summer of 1234567 days')
})

test('of a name whose value is too short to be found it is said once, and never what it is', () => {
  const said: string[] = []
  const { learn } = createRedaction((name) => said.push(name))
  const values = { NONE: ' \n', SHORT: 'sum\n\n\n\nmer', ENOUGH: '12345678', CAPITAL: 'äöüß', LEFT: ' 1234567 ' }
  for (const _again of [1, 2]) for (const [name, value] of Object.entries(values)) learn({ name, value })
  learn({ name: 'SHORT', value: 'winter' })
  learn({ name: 'ENOUGH', value: '1234567' })
  expect(said).toEqual(['SHORT', 'LEFT', 'ENOUGH'])
})

test('values that begin alike, hold one another or overlap leave nothing of either', () => {
  const redaction = knowing('abcdefghij', 'abcdefghijklmnop', 'mnopqrstuvwx')
  expect(redaction.text('-abcdefghij-')).toBe('-[secret S0]-')
  expect(redaction.text('-abcdefghijklmnop-')).toBe('-[secret S0]-')
  expect(redaction.text('-abcdefghijklmnopqrstuvwx-')).toBe('-[secret S0]-')
})

test('a stream goes on while a value that repeats itself is told without end', () => {
  const stream = knowing('abababababab').stream()
  const said = Array.from({ length: 1000 }, () => stream.push('abab')).join('') + stream.end()
  expect(said).toBe('[secret S0]')
  const held = knowing('abcdefghijkl').stream()
  expect(held.push('xabcdefgh')).toBe('x')
  expect(held.push('!')).toBe('abcdefgh!')
  expect(held.end()).toBe('')
})

test('of a name that is changed both values are known', () => {
  const redaction = createRedaction()
  redaction.learn({ name: 'KEY', value: 'the first value' })
  const stream = redaction.stream()
  expect(stream.push('it is the first ')).toBe('it is ')
  redaction.learn({ name: 'KEY', value: 'the second value' })
  expect(stream.push('value, then the second value') + stream.end()).toBe('[secret KEY], then [secret KEY]')
  for (let count = 0; count < 100; count += 1) redaction.learn({ name: 'KEY', value: `value number ${count}` })
  expect(redaction.text('value number 99, value number 1!')).toBe('[secret KEY], value number 1!')
})

test('every text of a value is redacted, and what is no text stays what it is', () => {
  const at = new Date(0)
  const written = { a: ['x the-value', { b: 'the-value' }], n: 1, none: null, at, pack: Buffer.from('the-value') }
  expect(knowing('the-value').all(written)).toEqual({ ...written, a: ['x [secret S0]', { b: '[secret S0]' }] })
})

test('keys are redacted, too, and no two of them become one', () => {
  const { all } = knowing('the-value', 'another-value')
  const key = Buffer.from('the-value').toString('hex')
  const written = {
    'the-value': 1,
    'x the-value': { 'the-value': [2] },
    '[secret S0]': 3,
    [key]: 4,
    'another-value': 5,
  }
  const said = {
    '[secret S0] 2': 1,
    'x [secret S0]': { '[secret S0]': [2] },
    '[secret S0]': 3,
    '[secret S0] 3': 4,
    '[secret S1]': 5,
  }
  expect(all(written)).toEqual(said)
  expect(Object.keys(all(written))).toEqual(Object.keys(said))
  const odd = JSON.parse('{"__proto__":{"the-value":1},"the-value":2}') as object
  expect(JSON.stringify(all(odd))).toBe('{"__proto__":{"[secret S0]":1},"[secret S0]":2}')
})

test('an object without a prototype is redacted and stays one', () => {
  const bare = (entries: object) => Object.assign(Object.create(null) as object, entries)
  const said = knowing('the-value').all(bare({ a: 'the-value', 'the-value': bare({ b: 'the-value' }) }))
  expect(said).toEqual({ a: '[secret S0]', '[secret S0]': { b: '[secret S0]' } })
  expect(Object.getPrototypeOf(said)).toBeNull()
})

test('many keys that are one value in all its breaks: as many as before', () => {
  const keys = Array.from({ length: 1000 }, (_, index) => `the-${'\n'.repeat(index)}value`)
  const said = knowing('the-value').all(Object.fromEntries(keys.map((key) => [key, key])))
  expect(Object.keys(said)).toEqual(keys.map((_, index) => (index === 0 ? '[secret S0]' : `[secret S0] ${index + 1}`)))
})

const value = fc.oneof(
  fc.string({ minLength: 8, maxLength: 60, unit: 'grapheme' }),
  fc.stringMatching(/^[\w+/-]{8,80}$/),
  fc
    .array(fc.stringMatching(/^[A-Za-z0-9+/=]{20,64}$/), { minLength: 2, maxLength: 4 })
    .map((lines) => lines.join('\n')),
)
const encodings: ((value: string) => string)[] = [
  (value) => value,
  (value) => JSON.stringify(value),
  (value) => encodeURIComponent(value),
  (value) => Buffer.from(value).toString('hex'),
  ...['', 'a', 'ab', 'abc'].map((before) => (value: string) => Buffer.from(before + value).toString('base64')),
]
const noise = fc.string({ maxLength: 30, unit: 'binary' })

test('no form of a value survives, however the text is cut; and cutting changes nothing', () => {
  const form = fc.tuple(fc.nat(), fc.constantFrom(...encodings))
  const cuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 4 }),
      fc.array(fc.tuple(noise, form), { maxLength: 6 }),
      cuts,
      (values, parts, lengths) => {
        const redaction = knowing(...values)
        const written = parts
          .map(([before, [index, encode]]) => before + encode(values[index % values.length]!))
          .join('')
        const stream = redaction.stream()
        const characters = Array.from(written.toWellFormed())
        let [said, at] = ['', 0]
        for (let turn = 0; at < characters.length; turn += 1) {
          const length = lengths[turn % lengths.length]!
          said += stream.push(characters.slice(at, at + length).join(''))
          at += length
        }
        said += stream.end()
        expect(said).toBe(redaction.text(written.toWellFormed()))
        for (const value of values.filter((value) => Buffer.byteLength(value.replaceAll(/[\r\n]/g, '')) >= 8)) {
          for (const [index, encode] of encodings.entries()) {
            // Around a value that stands in base64 a character or two hold parts of what is beside it.
            const whole = encode(value)
            expect(said).not.toContain(index < 4 ? whole : whole.slice(4, -4).padEnd(8, '\0'))
          }
        }
      },
    ),
    { numRuns: 150 },
  )
})

test('ordinary text is unchanged, however it is cut', () => {
  const redaction = knowing(token, 'ghp_0123456789012345678901234567890123456', 'aaaaaaaa-bbbb')
  const text = fc.string({ unit: fc.constantFrom(...Array.from('abgkpx_-Z0 \n\r"é&')) })
  fc.assert(
    fc.property(fc.array(text), (pieces) => {
      fc.pre(!/a{8}/.test(pieces.join('')))
      const stream = redaction.stream()
      expect(pieces.map((piece) => stream.push(piece)).join('') + stream.end()).toBe(pieces.join(''))
    }),
  )
})
