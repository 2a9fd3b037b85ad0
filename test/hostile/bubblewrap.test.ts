import { afterAll, beforeAll, describe } from 'vitest'
import { createBubblewrapDriver } from '../../src/sandboxes/bubblewrap/bubblewrap.ts'
import { need } from '../support/need.ts'
import { bombsGoOffInside } from './bombs.ts'
import { searchesAll } from './credentials.ts'
import { openHouse, type House } from './house.ts'
import { asksModelAlone, openProvider, type Provider } from './model.ts'
import { names, openNames, type Names } from './names.ts'
import { nearby, reachesNothing } from './network.ts'

const missing = await createBubblewrapDriver().probe()
const walls = need(missing === undefined ? undefined : `bubblewrap: ${missing}`)

describe.skipIf(walls.skip)(`in bubblewrap${walls.note}`, () => {
  let house: House
  let sites: Names | undefined
  let provider: Provider
  beforeAll(async () => {
    sites = names.skip ? undefined : await openNames(nearby)
    provider = await openProvider()
    house = await openHouse({ within: sites?.within, env: { OVERNIGHT_ALLOW_HOSTS: nearby.join(), ...provider.env } })
  })
  afterAll(async () => {
    await house?.[Symbol.asyncDispose]()
    await sites?.[Symbol.asyncDispose]()
    await provider?.[Symbol.asyncDispose]()
  })

  searchesAll(() => house, { sandbox: 'bubblewrap' })
  reachesNothing(() => ({ house, sites: sites! }), { sandbox: 'bubblewrap' })
  asksModelAlone(() => ({ house, provider }), 'bubblewrap')
  bombsGoOffInside(() => house, { sandbox: 'bubblewrap' })
})
