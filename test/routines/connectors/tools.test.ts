import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mayCall, notAllowedBy } from '../../../src/routines/connectors/tools.ts'

describe('which tools an agent may call', () => {
  test.for<[file: string[] | null, routine: string[] | null, tool: string, isAllowed: boolean]>([
    [null, null, 'anything', true],
    [['get_issue'], null, 'get_issue', true],
    [['get_issue'], null, 'get_issues', false],
    [['get_issue'], null, 'Get_issue', false],
    [['get_*'], null, 'get_', true],
    [['get_*'], null, 'forget_it', false],
    [['*_issue'], null, 'delete_issue', true],
    [['*is*e'], null, 'delete_issue', true],
    [['*'], ['search'], 'search', true],
    [['*'], ['search'], 'delete', false],
    [['get_*'], ['*_issue'], 'get_issue', true],
    [['get_*'], ['*_issue'], 'delete_issue', false],
    [['a.c'], null, 'abc', false],
    [null, null, 'x'.repeat(201), false],
    [['get_issue'], null, 'get_issue\n', false],
    [['get_issue'], null, '', false],
  ])('%j narrowed to %j: %s %s', ([file, routine, tool, isAllowed]) => {
    expect(mayCall({ tools: file }, { tools: routine }, tool)).toBe(isAllowed)
  })

  test('what a routine names and its file does not allow', () => {
    expect(
      notAllowedBy({ tools: ['get_*', 'search'] }, { tools: ['get_*', 'get_i*', 'search', '*', 'sea*', 'x'] }),
    ).toEqual(['*', 'sea*', 'x'])
    expect(notAllowedBy({ tools: null }, { tools: ['*'] })).toEqual([])
    expect(notAllowedBy({ tools: ['a'] }, { tools: null })).toEqual([])
  })

  const word = fc.stringMatching(/^[ab*]{1,6}$/)
  const name = fc.stringMatching(/^[ab]{0,8}$/)
  const asExpression = (pattern: string) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`)

  test('a pattern fits as the expression that it stands for', () => {
    fc.assert(
      fc.property(word, name, (pattern, tool) => {
        expect(mayCall({ tools: [pattern] }, { tools: null }, tool)).toBe(asExpression(pattern).test(tool))
      }),
    )
  })

  test('an entry that is allowed stands for nothing that the file does not allow', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), word, name, (file, entry, tool) => {
        fc.pre(notAllowedBy({ tools: file }, { tools: [entry] }).length === 0 && asExpression(entry).test(tool))
        expect(mayCall({ tools: file }, { tools: null }, tool)).toBe(true)
      }),
    )
  })

  test('many stars take no time', () => {
    const began = performance.now()
    expect(mayCall({ tools: [`${'*a'.repeat(60)}b`] }, { tools: null }, 'a'.repeat(200))).toBe(false)
    expect(performance.now() - began).toBeLessThan(100)
  })
})
