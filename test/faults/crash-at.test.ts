import { expect, test } from 'vitest'
import { crashAt, crashPoints } from './crash-at.ts'

test.each(crashPoints)('killed at %s: one publication, nothing lost', async (point) => {
  expect(await crashAt(point)).toEqual([])
})

test.each(['exit_recorded', 'patch_stored'] as const)(
  'killed at %s: what a failed agent left is kept, not published',
  async (point) => {
    expect(await crashAt(point, 'fails')).toEqual([])
  },
)
