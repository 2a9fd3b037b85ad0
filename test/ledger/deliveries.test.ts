import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { StepFailed } from '../../src/errors.ts'
import type { NewDelivery } from '../../src/ledger/deliveries.ts'
import { createLog } from '../../src/log.ts'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { applyRoutines } from '../../src/triggers/apply-routines.ts'
import { createRoutinesInForce } from '../../src/triggers/routines-in-force.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { createSettler } from '../../src/triggers/settle-deliveries.ts'
import type { Source, Verdict } from '../../src/triggers/source.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('deliveries', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const delivery = (key: string, body: object = {}, more: Partial<NewDelivery> = {}): NewDelivery => ({
      source: 'sentry',
      key,
      event: 'issue',
      headers: {},
      body: Buffer.from(JSON.stringify(body)),
      ...more,
    })
    const receive = (key: string, body?: object, more?: Partial<NewDelivery>) =>
      open.ledger.deliveries.receive(delivery(key, body, more))
    const routineOf = ({ file, source }: { file: string; source: string }) =>
      parseOrRefuse(file, source, { defaultEngine: 'command', checkSchedule })
    const apply = (...names: string[]) =>
      applyRoutines(open.ledger, {
        routines: names.map((name) =>
          routineOf({
            file: `/routines/${name}.md`,
            source: `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\ninputs: { scope: { default: all } }\n---\n`,
          }),
        ),
        broken: new Map(),
      })

    type Judge = (routine: string, payload: Record<string, unknown>) => Verdict | Promise<Verdict>
    function settlerOf(judging: Judge, wake = () => {}) {
      const source: Source = {
        trigger: 'webhook',
        listens: () => true,
        read: ({ id, event, body, source: from }) => {
          const payload = JSON.parse(body.toString()) as Record<string, unknown>
          if (payload['broken'] === true) return { refused: 'it cannot be read' }
          const about = { action: 'created', repository: 'acme/shop', sender: 'mona', subject: 'issue-4' }
          return { delivery: id, source: from, event, payload, ...about }
        },
        decide: ({ payload }, { name }) => judging(name, payload),
      }
      return createSettler({
        ledger: open.ledger,
        sourceOf: (name) => (['sentry', 'github'].includes(name) ? source : undefined),
        routines: createRoutinesInForce({ ledger: open.ledger, routineOf, log: createLog('silent') }),
        wake,
        isPressed: () => false,
        log: createLog('silent'),
      })
    }
    const settle = (judging: Judge) => settlerOf(judging).wake()
    const fires: Verdict = { act: 'fire', inputs: {} }
    const outcomes = async () =>
      (await open.ledger.occasions.deliveries({ limit: 100 })).map((row) => `${row.key} ${row.outcome}`).toSorted()

    test('the same one again is the same row, and nothing of it is changed', async () => {
      const first = await receive('1', { a: 1 })
      expect([first.fresh, await receive('1', { a: 2 })]).toEqual([true, { id: first.id, fresh: false }])
      expect((await open.ledger.deliveries.find(first.id))!.body.toString()).toBe('{"a":1}')
      expect((await receive('1', {}, { source: 'linear' })).fresh).toBe(true)
    })

    test('what was signed once with its time is one delivery, whatever it is called', async () => {
      const names = Array.from({ length: 20 }, (_, index) => `copy-${index}`)
      const copies = await Promise.all(names.map((name) => receive(name, {}, { signed: 's' })))
      expect(copies.filter(({ fresh }) => fresh)).toHaveLength(1)
      expect(new Set(copies.map(({ id }) => id)).size).toBe(1)
      const [first] = await open.ledger.occasions.deliveries({ limit: 100 })
      expect(first!.id).toBe(copies[0]!.id)
      const rows = ['a', 'b', 'copy-0'].map((key) => delivery(key, {}, { signed: key === 'b' ? 't' : 's' }))
      expect((await open.ledger.deliveries.receiveAll(rows)).map(({ fresh }) => fresh)).toEqual([false, true, false])
      expect((await receive('a', {}, { source: 'linear', signed: 's' })).fresh).toBe(true)
      expect((await receive('c')).fresh && (await receive('d')).fresh).toBe(true)
    })

    test('one is heard of under its name, for as long as one asks', async () => {
      await open.setClock('2026-11-21T16:00:00Z')
      const { id } = await receive('1')
      const heardOf = (name: string, from = 'sentry') => open.ledger.deliveries.heardOf(from, name, 600_000)
      expect([await heardOf('1'), await heardOf('2'), await heardOf('1', 'linear')]).toEqual([id, undefined, undefined])
      await open.setClock('2026-11-21T16:09:00Z')
      expect(await heardOf('1')).toBe(id)
      await open.setClock('2026-11-21T16:11:00Z')
      expect(await heardOf('1')).toBeUndefined()
    })

    test('large ones are claimed a few at a time, one that is larger than that by itself', async () => {
      await open.setClock('2026-11-21T16:00:00Z')
      for (const [key, mb] of Object.entries({ a: 3, b: 4, c: 2, d: 9, e: 0 })) {
        await receive(key, {}, { body: Buffer.alloc(mb * 1024 * 1024, 'x') })
        await open.setClock(new Date((await open.ledger.now()).getTime() + 1000))
      }
      const claimed = async () => (await open.ledger.deliveries.claim(20)).map(({ key }) => key)
      expect([await claimed(), await claimed(), await claimed(), await claimed(), await claimed()]).toEqual([
        ['a', 'b'],
        ['c'],
        ['d'],
        ['e'],
        [],
      ])
    })

    test('between reading two of them others have their turn', async () => {
      await apply('triage')
      for (const key of ['1', '2', '3']) await receive(key)
      const turns = { now: 0, ended: false }
      const turn = () => void (++turns.now && !turns.ended && setImmediate(turn))
      turn()
      const read: number[] = []
      await settle(() => (read.push(turns.now), { act: 'pass' }))
      turns.ended = true
      expect([read.length, new Set(read).size]).toEqual([3, 3])
    })

    test('one that fits is a firing and a run that know where they come from', async () => {
      await apply('triage', 'other')
      const { id } = await receive('1')
      await settle((routine) =>
        routine === 'triage' ? { act: 'fire', inputs: { scope: 'x' }, subject: 'issue-4' } : { act: 'pass' },
      )
      const row = await open.ledger.deliveries.find(id)
      expect(row).toMatchObject({
        outcome: 'fired',
        reason: null,
        sender: 'mona',
        subject: 'issue-4',
        action: 'created',
      })
      const firing = await open.ledger.firings.find('triage', `delivery:${id}`)
      expect(firing).toMatchObject({ trigger: 'webhook', delivery: id, by: 'mona', inputs: { scope: 'x' } })
      expect(await open.ledger.runs.find(firing!.run!)).toMatchObject({ subject: 'issue-4', sender: 'mona' })
      expect((await open.ledger.runs.list({ limit: 10 })).length).toBe(1)
    })

    test('every other end has its reason', async () => {
      await apply('triage')
      await receive('unmatched')
      await receive('broken', { broken: true })
      await receive('nobody', {}, { source: 'linear' })
      await receive('refused', { verdict: { act: 'refuse', reason: 'mona may not' } })
      await receive('inputs', { verdict: { act: 'fire', inputs: { zzz: 1 } } })
      await receive('before', {}, { outcome: 'skipped', reason: 'it was there before' })
      await settle((_, payload) => (payload['verdict'] as Verdict | undefined) ?? { act: 'pass' })
      const rows = await open.ledger.occasions.deliveries({ limit: 100 })
      expect(Object.fromEntries(rows.map(({ key, outcome, reason }) => [key, `${outcome}: ${reason}`]))).toEqual({
        unmatched: 'unmatched: null',
        broken: 'refused: it cannot be read',
        nobody: 'refused: nothing here reads deliveries of linear',
        refused: 'refused: triage: mona may not',
        inputs: expect.stringMatching(/^skipped: triage: the inputs do not fit the routine: unknown input "zzz"/),
        before: 'skipped: it was there before',
      })
      expect(rows.every((row) => row.settledAt !== null)).toBe(true)
    })

    test('routines are fired in one order in every process, whichever it read first', async () => {
      const names = (routines: readonly { name: string }[]) => routines.map(({ name }) => name)
      const inForce = () => createRoutinesInForce({ ledger: open.ledger, routineOf, log: createLog('silent') })
      const early = inForce()
      await apply('m')
      await early()
      await apply('m', 'z', 'a')
      expect([names(await early()), names(await inForce()())]).toEqual([
        ['a', 'm', 'z'],
        ['a', 'm', 'z'],
      ])
    })

    test('one that cannot be settled holds up no other, says why, and is tried again after a pause', async () => {
      await apply('triage')
      const { id } = await receive('1', { away: true })
      await receive('2')
      const state = { away: true }
      const judging: Judge = (_, { away }) => {
        if (away === true && state.away)
          throw new StepFailed('forge_unavailable', 'GitHub is away', { retryable: true })
        return fires
      }
      await settle(judging)
      expect(await outcomes()).toEqual(['1 null', '2 fired'])
      expect(await open.ledger.deliveries.find(id)).toMatchObject({ tries: 1, error: 'GitHub is away' })
      state.away = false
      await settle(judging)
      expect(await outcomes()).toEqual(['1 null', '2 fired'])
      await open.setClock(new Date(Date.now() + 60_000))
      await settle(judging)
      expect(await outcomes()).toEqual(['1 coalesced', '2 fired'])
    })

    test('a forge that does not answer holds up its own deliveries alone', async () => {
      await apply('triage')
      for (let index = 0; index < 25; index++) await receive(`${index}`, { hangs: true }, { source: 'github' })
      const { id } = await receive('last')
      const forge = Promise.withResolvers<Verdict>()
      const fired = Promise.withResolvers<void>()
      const settler = settlerOf((_, { hangs }) => (hangs === true ? forge.promise : fires), fired.resolve)
      const looked = settler.wake()
      await fired.promise
      const rows = await open.ledger.occasions.deliveries({ limit: 100 })
      expect(rows.filter(({ tries }) => tries > 0)).toEqual([])
      expect(rows.filter(({ outcome }) => outcome !== null).map((row) => row.id)).toEqual([id])
      forge.resolve({ act: 'pass' })
      await looked
      expect((await outcomes()).filter((one) => one.endsWith(' unmatched')).length).toBe(25)
    })

    test('after many tries it ends, with the reason', async () => {
      await apply('triage')
      const { id } = await receive('1')
      await open.rows(`update deliveries set tries = 19`)
      await settle(() => Promise.reject(new Error('a bug')))
      expect(await open.ledger.deliveries.find(id)).toMatchObject({
        outcome: 'refused',
        reason: 'it could not be settled in 20 tries: a bug',
      })
    })

    test('several settlers at once make one firing of each, and what one of them had when it died is settled later', async () => {
      await apply('triage')
      for (let index = 0; index < 60; index++) await receive(String(index))
      const lost = await open.ledger.deliveries.claim(5)
      expect(lost.length).toBe(5)
      const asked: unknown[] = []
      const settlers = Array.from({ length: 4 }, () => settlerOf((routine) => (asked.push(routine), fires)))
      await Promise.all(settlers.map((settler) => settler.wake()))
      expect([asked.length, (await open.ledger.occasions.deliveries({ outcome: 'owed', limit: 100 })).length]).toEqual([
        55, 5,
      ])
      await open.setClock(new Date(Date.now() + 60_000))
      await Promise.all(settlers.map((settler) => settler.wake()))
      const firings = await open.rows<{ n: number }>('select count(*)::int as n from firings')
      expect([asked.length, firings[0]!.n, (await open.ledger.runs.list({ limit: 200 })).length]).toEqual([60, 60, 1])
    })
  })
})
