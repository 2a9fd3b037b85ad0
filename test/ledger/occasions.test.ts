import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { placeIn, type OccasionFilter, type OccasionRow, type Place } from '../../src/ledger/occasions.ts'
import { slots } from '../../src/ledger/schema.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

const nameOf = (row: OccasionRow) => ('slot' in row ? `slot ${row.slot.routine}` : `delivery ${row.delivery.key}`)

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('slots and deliveries in one list', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const receive = (key: string, source = 'sentry', event = 'issue') =>
      open.ledger.deliveries.receive({ source, key, event, headers: {}, body: Buffer.from(`{"key":"${key}"}`) })
    const at = new Date('2026-11-20T01:00:00Z')
    const record = (routine: string, outcome: 'fired' | 'missed' | null = 'missed') =>
      open.store.db.insert(slots).values({ routine, at, outcome })
    const all = (filter: Partial<OccasionFilter> = {}) => open.ledger.occasions.all({ limit: 100, ...filter })

    /** What a reader sees who turns pages until there is none. */
    async function turned(limit: number): Promise<string[]> {
      const seen: string[] = []
      for (let before: Place | undefined; ;) {
        const page = await all({ limit, ...(before ? { before } : {}) })
        seen.push(...page.map(nameOf))
        if (page.length < limit) return seen
        before = placeIn(page.at(-1)!)
      }
    }

    test('newest first; pages neither repeat nor leave out one, though many have the same instant', async () => {
      for (let index = 0; index < 12; index++) await record(`r${index}`)
      for (let index = 0; index < 9; index++) await receive(String(index))
      // Three that differ by microseconds, three of exactly the slots' instant, and three older ones.
      await open.rows(`update deliveries set received_at =
        case when key < '3' then timestamptz '2026-11-21T00:00:00.000001Z' + (key || ' microseconds')::interval
             when key < '6' then timestamptz '2026-11-20T01:00:00Z' else timestamptz '2026-11-19T00:00:00Z' end`)
      const whole = (await all()).map(nameOf)
      expect(whole.length).toBe(21)
      expect(whole.slice(0, 3)).toEqual(['delivery 2', 'delivery 1', 'delivery 0'])
      expect(whole.slice(3, 15).every((name) => name.startsWith('slot'))).toBe(true)
      for (const limit of [1, 2, 5, 7]) expect(await turned(limit)).toEqual(whole)
    })

    test('by outcome, routine, source and event', async () => {
      await record('nightly', 'fired')
      await record('weekly', 'missed')
      await record('hourly', null)
      const { id } = await receive('1')
      await receive('2', 'linear', 'comment')
      const unread = { action: null, repository: null, sender: null, subject: null }
      await open.ledger.deliveries.settle(id, { ...unread, outcome: 'fired', reason: null })
      const caused = { outcome: 'accepted' as const, reason: null, run: 'r1', delivery: id, payload: null }
      const cause = { triggerKey: `delivery:${id}`, trigger: 'webhook' as const, inputs: {}, at: null, by: 'mona' }
      await open.ledger.firings.insert({ id: 'f1', routine: 'nightly', ...cause, ...caused })
      const names = async (filter: Partial<OccasionFilter>) => (await all(filter)).map(nameOf).toSorted()
      expect(await names({ outcome: 'fired' })).toEqual(['delivery 1', 'slot nightly'])
      expect(await names({ outcome: 'owed' })).toEqual(['delivery 2', 'slot hourly'])
      expect(await names({ outcome: 'missed' })).toEqual(['slot weekly'])
      expect(await names({ outcome: 'refused' })).toEqual([])
      expect(await names({ routine: 'nightly' })).toEqual(['delivery 1', 'slot nightly'])
      expect(await names({ routine: 'nightly', outcome: 'owed' })).toEqual([])

      const { occasions } = open.ledger
      const [linear] = await occasions.deliveries({ source: 'linear', limit: 9 })
      expect(linear).toMatchObject({ key: '2', bytes: 11, firings: [] })
      expect('body' in linear!).toBe(false)
      expect((await occasions.deliveries({ event: 'issue', limit: 9 })).map(({ key }) => key)).toEqual(['1'])
      expect((await occasions.deliveries({ source: 'linear', event: 'issue', limit: 9 })).length).toBe(0)
      const [fired] = await occasions.deliveries({ outcome: 'fired', limit: 9 })
      expect(fired!.firings).toMatchObject([
        { id: 'f1', routine: 'nightly', outcome: 'accepted', reason: null, run: 'r1' },
      ])
    })

    test('a delivery is found by the beginning of its id; of its body no more is read than asked for', async () => {
      const { id } = await receive('1')
      const found = await open.ledger.occasions.startingWith(id.slice(0, 6))
      expect(found.map((row) => row.id)).toEqual([id])
      expect(await open.ledger.occasions.startingWith('%')).toEqual([])
      expect(String(await open.ledger.occasions.bodyOf(id, 1000))).toBe('{"key":"1"}')
      expect(String(await open.ledger.occasions.bodyOf(id, 5))).toBe('{"key')
      expect((await open.ledger.occasions.bodyOf('nothing', 5)).length).toBe(0)
    })
  })
})
