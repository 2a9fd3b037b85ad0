import { expect, test } from 'vitest'
import { crashAt, crashPoints } from './crash-at.ts'

test.each(crashPoints)('killed at %s: one publication, nothing lost', async (point) => {
  expect(await crashAt(point)).toEqual([])
})
