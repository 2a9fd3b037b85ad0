import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readInputs } from '../../src/routines/inputs.ts'
import type { InputSpec } from '../../src/routines/routine.ts'

const specs: Record<string, InputSpec> = {
  scope: { type: 'string', default: 'all', required: false },
  depth: { type: 'number', required: true },
  dry: { type: 'boolean', required: false },
}

describe('inputs', () => {
  test.each([
    [{ depth: 2 }, { scope: 'all', depth: 2 }],
    [
      { depth: '2.5', dry: 'true', scope: '' },
      { scope: '', depth: 2.5, dry: true },
    ],
    [
      { depth: ' -3e2 ', dry: false },
      { scope: 'all', depth: -300, dry: false },
    ],
    [
      { depth: 0, scope: '{{ inputs.dry }}' },
      { scope: '{{ inputs.dry }}', depth: 0 },
    ],
  ])('%j', (given, inputs) => {
    expect(readInputs(specs, given)).toEqual({ inputs })
  })

  test.each([
    [{}, ['input "depth" is missing: give it, or write a default in the routine']],
    [{ depth: 1, scop: 'x' }, ['unknown input "scop": did you mean "scope"?']],
    [{ depth: 1, zzzz: 'x' }, ['unknown input "zzzz": known here: scope, depth, dry']],
    [{ depth: 'two' }, ['input "depth" must be a number, not "two"']],
    [{ depth: '' }, ['input "depth" must be a number, not ""']],
    [{ depth: '0x10' }, ['input "depth" must be a number, not "0x10"']],
    [{ depth: '1e999' }, ['input "depth" must be a number, not "1e999"']],
    [{ depth: null }, ['input "depth" must be a number, not "null"']],
    [{ depth: NaN }, ['input "depth" must be a number, not "null"']],
    [{ depth: 1, dry: 'yes' }, ['input "dry" must be true or false, not "yes"']],
    [{ depth: 1, dry: 1 }, ['input "dry" must be true or false, not "1"']],
    [{ depth: 1, scope: 3 }, ['input "scope" must be text, not "3"']],
    [{ depth: 1, scope: { toString: 1 } }, ['input "scope" must be text, not "{\\"toString\\":1}"']],
    [{ depth: 1, scope: 'a\0b' }, ['input "scope" must be valid Unicode without NUL']],
    [{ depth: 1, scope: '\ud800' }, ['input "scope" must be valid Unicode without NUL']],
    [{ depth: 1, toString: 'x' }, [expect.stringContaining('unknown input "toString"')]],
    [
      JSON.parse('{ "depth": 1, "__proto__": { "dry": true } }') as Record<string, unknown>,
      [expect.stringContaining('unknown input "__proto__"')],
    ],
  ])('refuses %j', (given, problems) => {
    expect(readInputs(specs, given)).toEqual({ problems })
  })

  test('a routine without inputs says so', () => {
    expect(readInputs({}, { a: 1 })).toEqual({ problems: ['unknown input "a": this routine takes none'] })
  })

  test('what is given as text is read as what it was', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), (depth, dry) => {
        expect(readInputs(specs, { depth: String(depth), dry: String(dry) })).toEqual({
          inputs: { scope: 'all', depth: Number(String(depth)), dry },
        })
      }),
    )
  })

  test('nothing throws, whatever is given', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('scope', 'depth', 'dry', '__proto__', 'x'), fc.anything()), (given) => {
        const read = readInputs(specs, given)
        expect('inputs' in read || read.problems.length > 0).toBe(true)
      }),
    )
  })
})
