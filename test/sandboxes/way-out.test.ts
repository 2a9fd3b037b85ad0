import { describe } from 'vitest'
import { createBubblewrapDriver } from '../../src/sandboxes/bubblewrap/bubblewrap.ts'
import { wayOutContract } from '../contract/way-out.ts'
import { need } from '../support/need.ts'

const missing = await createBubblewrapDriver().probe()
const walls = need(missing === undefined ? undefined : `bubblewrap: ${missing}`)

describe.skipIf(walls.skip)(`programs behind walls, and the network of a routine${walls.note}`, () => {
  wayOutContract(() => createBubblewrapDriver())
})
