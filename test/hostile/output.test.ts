import { describe } from 'vitest'
import { sandboxes } from '../support/crew.ts'
import { hostileOutput } from './output.ts'

describe.for(sandboxes.filter(({ sandbox }) => sandbox === 'bubblewrap'))('$title', ({ sandbox, skip }) => {
  describe.skipIf(skip)('what a gullible agent hands out', () => {
    hostileOutput(sandbox)
  })
})
