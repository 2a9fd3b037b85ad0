import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reasons } from '../../src/errors.ts'
import { countsAs, failsTooOften, notItsFault, type Past } from '../../src/runs/auto-pause.ts'

const failed = (reason: string | null = 'agent_exit'): Past => ({ state: 'failed', reason })
const good: Past = { state: 'unchanged', reason: null }

describe('what an ending says of its routine', () => {
  test.each([
    ['published', null, 'success'],
    ['unchanged', null, 'success'],
    ['reported', null, 'success'],
    ['failed', 'agent_exit', 'failure'],
    ['failed', 'push_refused', 'failure'],
    ['failed', null, 'failure'],
    ['timed_out', 'time_limit', 'failure'],
    ['cancelled', 'cancelled', 'nothing'],
    ['skipped', 'superseded', 'nothing'],
    ['needs_approval', 'policy', 'nothing'],
    ['failed', 'forge_unavailable', 'nothing'],
    ['failed', 'no_sandbox', 'nothing'],
    ['failed', 'no_checkout', 'nothing'],
    ['failed', 'lost_worker', 'nothing'],
    ['failed', 'model_unavailable', 'nothing'],
  ] as const)('%s: %s is %s', (state, reason, what) => {
    expect(countsAs({ state, reason })).toBe(what)
  })

  test('every name of a reason is one', () => {
    expect(notItsFault.filter((reason) => !(reason in reasons))).toEqual([])
  })
})

describe('failures one after the other', () => {
  test.each([
    ['as many as allowed', [failed(), failed(), failed()], 3, true],
    ['one less', [failed(), failed()], 3, false],
    ['a success between them', [failed(), failed(), good, failed()], 3, false],
    ['a success before them', [failed(), failed(), failed(), good], 3, true],
    [
      'what says nothing is between them',
      [failed(), failed('disk_full'), { state: 'cancelled', reason: 'cancelled' }, failed()],
      2,
      true,
    ],
    ['never', Array.from({ length: 50 }, () => failed()), 0, false],
    ['nothing yet', [], 1, false],
  ] as const)('%s', (_, past, after, paused) => {
    expect(failsTooOften(past, after)).toBe(paused)
  })

  test('what says nothing changes nothing, wherever it stands', () => {
    const one = fc.constantFrom<Past>(good, failed(), failed('no_sandbox'), { state: 'skipped', reason: 'superseded' })
    fc.assert(
      fc.property(fc.array(one), fc.integer({ min: 1, max: 6 }), (past, after) => {
        const telling = past.filter((ending) => countsAs(ending) !== 'nothing')
        const run = telling.findIndex((ending) => countsAs(ending) === 'success')
        expect(failsTooOften(past, after)).toBe((run === -1 ? telling.length : run) >= after)
      }),
    )
  })
})
