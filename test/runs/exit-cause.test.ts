import { expect, test } from 'vitest'
import { failureOf } from '../../src/runs/exit-cause.ts'

const killed = { because: 'exit', code: null, signal: 'SIGKILL' } as const

test('what the sandbox saw is why it failed', () => {
  expect(failureOf({ ...killed, cause: 'out_of_memory' })).toEqual({
    reason: 'out_of_memory',
    message: 'the agent needed more memory than it may have',
    mayRepeat: false,
  })
  expect(failureOf({ ...killed, code: 1, signal: null, cause: 'too_many_processes' })?.reason).toBe(
    'too_many_processes',
  )
  expect(failureOf({ ...killed, cause: 'out_of_room' })?.reason).toBe('out_of_room')
})

test('a sandbox that went away is nobody’s failure: it may begin again', () => {
  expect(failureOf({ ...killed, cause: 'sandbox_lost' })).toMatchObject({ reason: 'no_sandbox', mayRepeat: true })
})

test('an end in peace, one that we asked for, and what the agent says itself', () => {
  const said = { reason: 'budget', message: 'spent', mayRepeat: false } as const
  expect(failureOf({ because: 'exit', code: 0, signal: null, cause: 'out_of_memory' })).toBeUndefined()
  expect(failureOf({ ...killed, because: 'aborted', cause: 'out_of_memory' })).toBeUndefined()
  expect(failureOf({ ...killed, cause: 'out_of_memory', failure: said })).toBe(said)
  expect(failureOf(killed)).toBeUndefined()
})
