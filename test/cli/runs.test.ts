import { expect, test } from 'vitest'
import { whatOf } from '../../src/cli/runs.ts'

const run = {
  state: 'failed',
  title: 'Sort the imports',
  message: 'npm ci ended with code 1',
  reason: 'setup',
} as const
const nothing = { title: null, message: null, reason: null, waitsFor: null }

test.each([
  [{ ...nothing, ...run }, 'npm ci ended with code 1'],
  [{ ...nothing, ...run, message: null }, 'setup'],
  [{ ...nothing, ...run, state: 'needs_approval', reason: 'policy' }, 'npm ci ended with code 1'],
  [{ ...nothing, ...run, state: 'published', message: 'updated' }, 'Sort the imports'],
  [{ ...nothing, ...run, state: 'unchanged', title: null, message: 'nothing to do' }, 'nothing to do'],
  [{ ...nothing, state: 'working', title: 'Sort the imports' }, 'Sort the imports'],
  [{ ...nothing, state: 'queued', waitsFor: 'a worker' }, 'waits for a worker'],
  [{ ...nothing, state: 'queued' }, ''],
] as const)('a row of the list says what matters of it: %#', (row, says) => {
  expect(whatOf(row)).toBe(says)
})
