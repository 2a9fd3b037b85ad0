import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fillPrompt } from '../../../src/routines/prompt/prompt.ts'

const values = {
  inputs: { scope: 'all', depth: 2, dry: false, empty: '' },
  slot: { at: '2026-03-29T00:30:00.000Z' },
  routine: { name: 'tidy' },
  event: { commits: [{ id: 'a1' }], none: null, deep: { __proto__: null, x: 1 } },
  previous: {},
}

describe('filling', () => {
  test.each([
    ['{{ inputs.scope }} {{inputs.depth}} {{ inputs.dry }}', 'all 2 false'],
    ['{{ slot.at }} by {{ routine.name }}', '2026-03-29T00:30:00.000Z by tidy'],
    ['{{ event.commits.0.id }}', 'a1'],
    ['{{ event.commits }}', '[{"id":"a1"}]'],
    ['a{{ inputs.nope }}b{{ nope }}c{{ event.none }}d{{ event.none.x }}e', 'abcde'],
    ['{{ inputs.scope.length }}{{ inputs.scope.0 }}', ''],
    [
      '{{ __proto__ }}{{ inputs.__proto__ }}{{ inputs.constructor.name }}{{ event.toString }}{{ event.commits.map }}',
      '',
    ],
    ['\\{{ inputs.scope }}', '{{ inputs.scope }}'],
    ['{{#if x}}{{ 1 + 1 }}', ''],
    ['{ { inputs.scope } } {{ inputs.scope', '{ { inputs.scope } } {{ inputs.scope'],
    ['{{\ninputs.scope }}', '{{\ninputs.scope }}'],
    ['$& $1 {{ inputs.scope }}', '$& $1 all'],
  ])('%s', (template, expected) => {
    expect(fillPrompt(template, values)).toBe(expected)
  })

  test('own properties alone count, even where a key is called __proto__', () => {
    const event: unknown = JSON.parse('{ "__proto__": { "admin": "yes" }, "a": { "constructor": "own" } }')
    expect(fillPrompt('{{ event.__proto__.admin }}{{ event.admin }}{{ event.a.constructor }}', { event })).toBe('')
  })

  test.each(['{{ inputs.b }}', '{{ routine.name }}', '\\{{', '$&', '}}', '{{', '{{ event.secrets }}'])(
    'a value that is %j is put in as it is',
    (value) => {
      expect(
        fillPrompt('<{{ inputs.a }}{{ inputs.a }}>', { inputs: { a: value, b: 'B' }, routine: { name: 'R' } }),
      ).toBe(`<${value}${value}>`)
    },
  )
})

describe('whatever is filled in', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('{{', '}}', '{{ inputs.a }}', '{{ inputs.b }}', '{{ event }}', '\\', '$&', '\n'),
  )
  const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''))

  test('is found between the same words, untouched', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(fillPrompt('before {{ inputs.a }} between {{ inputs.b }} after', { inputs: { a, b } })).toBe(
          `before ${a} between ${b} after`,
        )
      }),
    )
  })

  test('a template without marks stays as it is', () => {
    const bare = text.filter((template) => !template.includes('{{'))
    fc.assert(
      fc.property(bare, fc.jsonValue(), (template, event) => {
        expect(fillPrompt(template, { event })).toBe(template)
      }),
    )
  })

  test('nothing throws', () => {
    fc.assert(
      fc.property(text, fc.jsonValue(), (template, event) => {
        expect(fillPrompt(template, { event, inputs: {} })).toBeTypeOf('string')
      }),
    )
  })

  test('the mark of a path of any names gives the value at its end', () => {
    const name = fc
      .stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,8}$/)
      .filter((key) => !['__proto__', 'constructor', 'prototype'].includes(key))
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), fc.string(), (path, value) => {
        const nested = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)
        expect(fillPrompt(`{{ event.${path.join('.')} }}`, { event: nested })).toBe(value)
      }),
    )
  })
})
