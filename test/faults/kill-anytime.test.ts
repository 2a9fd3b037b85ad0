import { expect, test } from 'vitest'
import { killAnytime } from './kill-anytime.ts'

test('killed while agents work: all runs end, one publication each, nothing of the dead service lives', async () => {
  expect(await killAnytime(1)).toEqual([])
})
