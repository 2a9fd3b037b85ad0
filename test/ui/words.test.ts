import { describe, expect, test } from 'vitest'
import { reasons, type Reason } from '../../src/errors.ts'
import { runStates } from '../../src/ledger/schema.ts'
import { actionsOf } from '../../src/ui/actions.ts'
import { runHead } from '../../src/ui/run.ts'
import { runRow } from '../../src/ui/row.ts'
import { advice, detail, headline, isState, stateMark, stateWords } from '../../src/ui/words.ts'
import { clock, pullOf, runOf } from '../support/sample-runs.ts'

const run = runOf({ id: 'r_1', title: 'Sorted the imports of 14 files' })

describe('states', () => {
  test('each has a shape and a word of its own, and nothing else is one', () => {
    expect(Object.keys(stateWords)).toEqual([...runStates])
    const words = runStates.map((state) => stateWords[state].word)
    expect(new Set(words).size).toBe(runStates.length)
    expect(runStates.every((state) => stateWords[state].shape.length === 1)).toBe(true)
    expect(isState('constructor')).toBe(false)
  })

  test('only needing approval is coloured', () => {
    expect(runStates.filter((state) => stateWords[state].tone === 'you')).toEqual(['needs_approval'])
  })

  test('the shape is not read aloud, the word is', () => {
    expect(String(stateMark('timed_out'))).toBe(
      '<span class="state bad"><span aria-hidden="true">!</span> timed out</span>',
    )
  })
})

describe('headline and detail', () => {
  test.each([
    [{ state: 'published' }, 'Sorted the imports of 14 files', null],
    [{ state: 'published', title: '  ' }, 'A change is published', null],
    [
      { state: 'needs_approval', reason: 'policy', message: 'a.yml is protected' },
      'Sorted the imports of 14 files',
      'A.yml is protected',
    ],
    [{ state: 'unchanged', message: 'nothing needed changing' }, 'Nothing needed changing', null],
    [
      { state: 'unchanged', message: 'the open pull request #5 already holds this change' },
      'The open pull request #5 already holds this change',
      null,
    ],
    [
      { state: 'failed', reason: 'agent_exit', message: 'the agent ended with code 3' },
      'The agent ended with an error',
      'The agent ended with code 3',
    ],
    [{ state: 'failed', reason: 'something_new', message: null }, 'Something_new', null],
    [{ state: 'timed_out', reason: 'time_limit', message: reasons.time_limit }, 'The time limit was reached', null],
    [{ state: 'cancelled', reason: 'denied', message: reasons.denied }, 'Denied by a person', null],
    [{ state: 'queued', title: null }, 'Waiting for its turn', null],
    [{ state: 'working', title: null }, 'The agent is at work', null],
  ] as const)('%j reads %j, %j', (facts, head, more) => {
    const shown = { ...run, ...facts }
    expect([headline(shown), detail(shown)]).toEqual([head, more])
  })

  test.each(runStates)('a list and a page say the same of a run that is %s', (state) => {
    const shown = { ...run, state, reason: state === 'failed' ? 'disk_full' : null }
    const [row, head] = [
      runRow({ run: shown, pull: null }, clock),
      runHead({ run: shown, pull: null, patch: null, clock }),
    ]
    const said = (page: unknown) => /<h\d>(?:<a[^>]*>)?([^<]+)/.exec(String(page))?.[1]
    expect(said(row)).toBe(said(head))
    expect(String(head)).toContain(String(stateMark(state)))
    expect(String(row)).toContain(String(stateMark(state)))
  })
})

test('whoever has to act is told what to do', () => {
  const silent = Object.keys(reasons).filter((reason) => advice({ ...run, reason }) === null)
  const nothingToDo: Reason[] = [
    'cancelled',
    'denied',
    'superseded',
    'overlap',
    'depth',
    'coalesced',
    'no_catch_up',
    'catch_up',
    'catch_up_max',
    'unlisted',
    'max_age',
    'paused',
    'rate',
    'removed',
  ]
  expect(silent.toSorted()).toEqual(nothingToDo.toSorted())
  expect(advice({ ...run, reason: 'constructor' })).toBeNull()
})

describe('buttons', () => {
  const open = pullOf({ id: 'a/b#3', number: 3 })
  const ended = run.endedAt
  test.each([
    [{ state: 'needs_approval', endedAt: null }, null, ['Publish*', 'Deny']],
    [{ state: 'working', endedAt: null }, null, ['Cancel']],
    [{ state: 'queued', endedAt: null }, null, ['Cancel']],
    [{ state: 'working', endedAt: null, cancelRequestedAt: ended }, null, []],
    [{ state: 'published' }, open, ['Merge*', 'Close', 'Retry']],
    [{ state: 'published' }, { ...open, state: 'merged' }, ['Retry']],
    [{ state: 'failed' }, null, ['Retry*']],
    [{ state: 'timed_out' }, null, ['Retry*']],
    [{ state: 'unchanged' }, null, ['Retry']],
  ] as const)('%j with pull request %j: %j', (facts, pull, labels) => {
    const actions = actionsOf({ ...run, ...facts }, pull)
    expect(actions.map(({ label, primary }) => `${label}${primary ? '*' : ''}`)).toEqual(labels)
    expect(actions.every(({ path }) => /^\/(runs\/r_1|pulls\/a%2Fb%233)\/[a-z]+$/.test(path))).toBe(true)
  })
})
