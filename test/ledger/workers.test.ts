import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('the ledger', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const withinMs = 30_000
    const worker = (id: string, slots = 2) => ({ id, host: 'here', pid: 7, slots })
    const live = async () => (await open.ledger.workers.live(withinMs)).map((row) => row.id)
    const slots = () => open.ledger.workers.totalSlots(withinMs)
    async function later(ms: number): Promise<void> {
      const now = await open.ledger.now()
      await open.setClock(new Date(now.getTime() + ms))
    }

    test('without a worker there is no slot', async () => {
      expect([await live(), await slots()]).toEqual([[], 0])
    })

    test('a worker counts from its announcement until it is silent, and again when it beats', async () => {
      await open.ledger.workers.announce(worker('a'))
      await open.ledger.workers.announce(worker('b', 5))
      expect([await live(), await slots()]).toEqual([['a', 'b'], 7])
      await later(withinMs - 1000)
      await open.ledger.workers.beat(worker('a'))
      await later(2000)
      expect([await live(), await slots()]).toEqual([['a'], 2])
      await open.ledger.workers.beat(worker('b', 5))
      expect([await live(), await slots()]).toEqual([['a', 'b'], 7])
    })

    test('one that is stopping is there, takes nothing, and beats without taking anything', async () => {
      await open.ledger.workers.announce(worker('a'))
      await open.ledger.workers.stopping('a')
      await open.ledger.workers.beat(worker('a'))
      expect([await live(), await slots()]).toEqual([['a'], 0])
      await open.ledger.workers.announce(worker('a', 3))
      expect(await slots()).toBe(3)
      await open.ledger.workers.remove('a')
      expect(await live()).toEqual([])
    })

    test('a long dead one is forgotten, and one that was only silent comes back with its next beat', async () => {
      await open.ledger.workers.announce(worker('dead'))
      await open.ledger.workers.announce(worker('paused', 4))
      await later(3_600_001)
      await open.ledger.workers.announce(worker('young'))
      expect(await open.ledger.workers.prune(3_600_000)).toBe(2)
      await open.ledger.workers.beat(worker('paused', 4))
      expect([await live(), await slots()]).toEqual([['young', 'paused'], 6])
    })
  })
})
