import { describe, expect, test } from 'vitest'
import { LedgerUnreachable, OvernightError, StepFailed } from '../../src/errors.ts'
import { afterAgent, firstLine, headline, lastLine } from '../../src/runs/endings.ts'
import { afterFailure, infrastructureRetries, lostTooOften } from '../../src/runs/failure.ts'
import { occasionId } from '../../src/runs/occasion.ts'
import { needsOnlyPublishing } from '../../src/runs/kept-change.ts'

const ended = { because: 'exit', code: 0, signal: null, said: null } as const
test.each([
  ['the forge was away', { reason: 'forge_unavailable' }, true],
  ['the push was refused', { reason: 'push_refused' }, true],
  ['somebody else was on the branch', { reason: 'branch_has_other_commits' }, true],
  ['we were not let in', { reason: 'forge_denied' }, true],
  ['the gate stopped it', { state: 'needs_approval', reason: 'policy' }, false],
  ['the change was no change', { reason: 'patch_invalid' }, false],
  ['the agent failed', { reason: 'agent_exit', exit: { ...ended, code: 1 } }, false],
  ['the agent failed, and the forge was away', { reason: 'forge_unavailable', exit: { ...ended, code: 1 } }, false],
  ['the forge was away before the agent began', { reason: 'forge_unavailable', exit: null }, false],
  ['the time was up', { state: 'timed_out', exit: { ...ended, because: 'time_limit' } }, false],
] as const)('a retry after %s publishes the kept change: %o → %s', (_, run, only) => {
  expect(needsOnlyPublishing({ state: 'failed', reason: null, exit: ended, ...run })).toBe(only)
})

describe('after a failure', () => {
  const run = { losses: 0, waits: 0 }
  const broken = new StepFailed('no_checkout', 'the repository could not be read', { retryable: true })
  test('infrastructure is tried again twice, later each time, and then the run ends with its reason', () => {
    const delays = Array.from({ length: infrastructureRetries }, (_, losses) =>
      afterFailure(broken, { ...run, losses }),
    )
    expect(delays).toEqual([
      { act: 'retry', delayMs: 5000, error: 'the repository could not be read; tried again in 5 s' },
      { act: 'retry', delayMs: 20_000, error: 'the repository could not be read; tried again in 20 s' },
    ])
    expect(afterFailure(broken, { ...run, losses: infrastructureRetries })).toMatchObject({
      act: 'end',
      ending: { state: 'failed', reason: 'no_checkout' },
    })
  })

  const away = new StepFailed('forge_unavailable', 'the forge is away', { retryable: true })
  test('a forge that is away is waited for, longer each time, and costs no loss', () => {
    const waits = [0, 1, 2, 6, 7, 41].map((waits) => afterFailure(away, { ...run, losses: 2, waits }))
    expect(waits.map((next) => 'delayMs' in next && [next.act, next.delayMs / 1000])).toEqual(
      [5, 10, 20, 320, 600, 600].map((seconds) => ['wait', seconds]),
    )
    expect(waits[0]).toMatchObject({ error: 'the forge is away; tried again in 5 s' })
  })
  test('so is a ledger that is away, also as its driver wraps it', () => {
    const gone = new LedgerUnreachable('127.0.0.1:5432', new Error('ECONNREFUSED'))
    const wrapped = Object.assign(new Error('Failed query', { cause: gone }), { query: 'select', params: [] })
    for (const error of [gone, wrapped]) {
      expect(afterFailure(error, { ...run, losses: 2 })).toMatchObject({ act: 'wait', delayMs: 5000 })
    }
  })
  test('what names a time is left alone until then, whatever it is', () => {
    const limited = new StepFailed('forge_unavailable', 'limited', { retryable: true, retryAfterMs: 1_234_000 })
    expect(afterFailure(limited, { ...run, waits: 9 })).toMatchObject({ act: 'wait', delayMs: 1_234_000 })
    const model = new OvernightError('busy', { code: 'model_busy', retryable: true, retryAfterMs: 30_000 })
    expect(afterFailure(model, run)).toMatchObject({ act: 'wait', delayMs: 30_000 })
  })
  test('after some six hours of asking the run ends, and a wait beyond that is not begun', () => {
    const hour = 3_600_000
    const delays = Array.from({ length: 42 }, (_, waits) => afterFailure(away, { ...run, waits }))
    const asked = delays.reduce((sum, next) => sum + ('delayMs' in next ? next.delayMs : 0), 0)
    expect(asked / hour).toBeCloseTo(6, 0)
    expect(afterFailure(away, { ...run, waits: 42 })).toMatchObject({
      act: 'end',
      ending: { reason: 'forge_unavailable' },
    })
    const nextMonth = new StepFailed('forge_unavailable', 'limited', { retryable: true, retryAfterMs: 700 * hour })
    expect(afterFailure(nextMonth, run)).toMatchObject({ act: 'end', ending: { reason: 'forge_unavailable' } })
  })
  test('a run whose change is older than what is published is left out, and did not fail', () => {
    const older = new StepFailed('superseded', 'run b; this change is kept')
    expect(afterFailure(older, run)).toMatchObject({ act: 'end', ending: { state: 'skipped', reason: 'superseded' } })
  })

  test.each([
    [
      'a named failure',
      new StepFailed('no_checkout', 'no such repository', { hint: 'correct it' }),
      'no_checkout',
      'no such repository – correct it',
    ],
    ['a full disk', Object.assign(new Error('write'), { code: 'ENOSPC' }), 'disk_full', 'write'],
    [
      'a full disk under the store',
      new Error('could not extend file: No space left on device'),
      'disk_full',
      'could not extend file: No space left on device',
    ],
    ['a bug', new TypeError('x is\nundefined'), 'internal', 'x is undefined'],
    ['another error of ours', new OvernightError('odd', { code: 'odd' }), 'internal', 'odd'],
  ])('%s ends the run at once', (_, error, reason, message) => {
    expect(afterFailure(error, run)).toEqual({ act: 'end', ending: { state: 'failed', reason, message } })
  })
  test('a worker may be lost twice, not three times', () => {
    expect([0, 1, 2].map(lostTooOften)).toEqual([undefined, undefined, undefined])
    expect(lostTooOften(3)).toMatchObject({ state: 'failed', reason: 'lost_worker' })
  })
})

describe('what the agent ended with', () => {
  const patch = { base: 'b', tree: 't', pack: Buffer.alloc(0), findings: [] }
  test.each([
    ['code 0, a change', { because: 'exit', code: 0, signal: null, said: null }, patch, patch],
    [
      'code 0, nothing',
      { because: 'exit', code: 0, signal: null, said: null },
      undefined,
      { state: 'unchanged', reason: null, message: 'nothing needed changing' },
    ],
    [
      'code 3, a change',
      { because: 'exit', code: 3, signal: null, said: null },
      patch,
      { state: 'failed', reason: 'agent_exit', message: 'the agent ended with code 3; what it had changed is kept' },
    ],
    [
      'a signal',
      { because: 'exit', code: null, signal: 'SIGSEGV', said: 'out of memory' },
      undefined,
      { state: 'failed', reason: 'agent_exit', message: 'the agent was ended by SIGSEGV, saying “out of memory”' },
    ],
    [
      'the time limit',
      { because: 'time_limit', code: null, signal: 'SIGKILL', said: null },
      undefined,
      { state: 'timed_out', reason: 'time_limit', message: 'the time limit was reached' },
    ],
  ] as const)('%s', (_, exit, left, next) => {
    expect(afterAgent(exit, left)).toEqual(next)
  })

  test.each([
    ['Rebuilt the contents of 2 files', 'Rebuilt the contents of 2 files'],
    ['done', 'Keeps things tidy'],
    ['✨  Done in 0.52s.', 'Keeps things tidy'],
    ['x'.repeat(300), 'Keeps things tidy'],
    [null, 'Keeps things tidy'],
  ])('the headline of %j', (line, title) => {
    expect(headline(line, { name: 'tidy', description: 'Keeps things tidy\nand more' })).toBe(title)
  })
})

test('an id comes from its cause alone', () => {
  expect(occasionId('tidy', 'cron:2026-11-20T02:00:00.000Z')).toBe(occasionId('tidy', 'cron:2026-11-20T02:00:00.000Z'))
  expect(occasionId('tidy', 'a')).not.toBe(occasionId('tid', 'ya'))
  expect(occasionId('tidy', 'a')).toMatch(/^[0-9a-hjkmnp-tv-z]{16}$/)
})

test.each([
  ['one\ntwo\n\n', 'two'],
  ['\u001b[31mSorted the imports\u001b[0m\r\n', 'Sorted the imports'],
  ['a\u202eb\u0007', 'ab'],
  ['Error: no such file\n    at main (a.js:1:2)\n\nNode.js v24.21.0\n', 'Error: no such file'],
  [' \n\t\n', null],
  ['', null],
])('the last line of %j', (text, line) => {
  expect(lastLine(text)).toBe(line)
})

describe('an agent that says why it failed', () => {
  const failure = { reason: 'budget', message: 'Reached maximum budget ($1)' } as const
  const patch = { base: 'b', tree: 't', pack: Buffer.alloc(0), findings: [] }
  test.each([
    ['nothing changed', undefined, 'Reached maximum budget ($1)'],
    ['what it changed is kept', patch, 'Reached maximum budget ($1); what it had changed is kept'],
  ])('%s', (_, changed, message) => {
    expect(afterAgent({ ...ended, failure }, changed)).toEqual({ state: 'failed', reason: 'budget', message })
    expect(afterAgent({ ...ended, code: 1, failure }, changed)).toMatchObject({ reason: 'budget' })
  })

  test('the time limit comes before what it says', () => {
    expect(afterAgent({ ...ended, because: 'time_limit', failure }, undefined)).toMatchObject({ reason: 'time_limit' })
  })
})

test.each([
  ['Wrote it.\nAll is well.', 'Wrote it.'],
  ['\n\n## Wrote the note that was missing\n', 'Wrote the note that was missing'],
  ['**Done**: it is there', 'Done**: it is there'],
  ['**Wrote the note**', 'Wrote the note'],
  ['- moved `a` to _b_', 'moved `a` to _b'],
  ['\u001b[31mred\u001b[0m words', 'red words'],
  ['', null],
  ['***', null],
])('the first line of %j', (text, line) => {
  expect(firstLine(text)).toBe(line)
})
