import { afterAll, beforeAll, describe } from 'vitest'
import { createBubblewrapDriver } from '../../src/sandboxes/bubblewrap.ts'
import { need } from '../support/need.ts'
import { searchesAll } from './credentials.ts'
import { openHouse, type House } from './house.ts'

const missing = await createBubblewrapDriver().probe()
const walls = need(missing === undefined ? undefined : `bubblewrap: ${missing}`)

describe.skipIf(walls.skip)(`in bubblewrap${walls.note}`, () => {
  let house: House
  beforeAll(async () => {
    house = await openHouse()
  })
  afterAll(() => house?.[Symbol.asyncDispose]())

  searchesAll(() => house, { sandbox: 'bubblewrap' })
})
