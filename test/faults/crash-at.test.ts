import { afterAll, beforeAll, expect, test } from 'vitest'
import { crashPoints, openCrashes, type Crashes } from './crash-at.ts'

let crashes: Crashes
beforeAll(async () => {
  crashes = await openCrashes()
})
afterAll(() => crashes[Symbol.asyncDispose]())

test.each(crashPoints)('killed at %s: one publication, nothing lost', async (point) => {
  expect(await crashes.crashAt(point)).toEqual([])
})

test.each(['exit_recorded', 'patch_stored'] as const)(
  'killed at %s: what a failed agent left is kept, not published',
  async (point) => {
    expect(await crashes.crashAt(point, 'fails')).toEqual([])
  },
)
