import { describe, expect, test } from 'vitest'
import { maySee, scopeOf } from '../../../src/http/access/rights.ts'

describe('what a token opens', () => {
  test.each([
    ['POST', '/routines/deps/fire', 'fire'],
    ['POST', '/claude_code/routines/trig_deps/fire', 'fire'],
    ['GET', '/routines', 'read'],
    ['GET', '/runs', 'read'],
    ['GET', '/runs/abc', 'read'],
    ['GET', '/runs/abc/events', 'read'],
    ['GET', '/runs/abc/diff', 'read'],
  ])('%s %s takes %s', (method, path, scope) => {
    expect(scopeOf(method, path)).toBe(scope)
  })

  test.each([
    ['POST', '/runs'],
    ['POST', '/runs/abc/cancel'],
    ['POST', '/runs/abc/approve'],
    ['POST', '/routines/deps/pause'],
    ['POST', '/routines//fire'],
    ['POST', '/routines/deps/fire/'],
    ['POST', '/routines/a/b/fire'],
    ['GET', '/routines/deps/fire'],
    ['GET', '/tokens'],
    ['POST', '/tokens'],
    ['DELETE', '/tokens/tok_1'],
    ['GET', '/pulls'],
    ['GET', '/runs/'],
    ['GET', '/runs/abc/anything'],
    ['HEAD', '/runs'],
    ['GET', ''],
    ['GET', '/constructor'],
  ])('%s %s is for people', (method, path) => {
    expect(scopeOf(method, path)).toBeUndefined()
  })

  test('of routines: those it names, all when it names none; people see all', () => {
    expect([maySee({ routines: ['a'] }, 'a'), maySee({ routines: ['a'] }, 'b'), maySee({ routines: [] }, 'b')]).toEqual(
      [true, false, false],
    )
    expect([maySee({ routines: null }, 'b'), maySee(undefined, 'b')]).toEqual([true, true])
  })
})
