import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLedger } from '../../src/ledger/ledger.ts'
import { createLog } from '../../src/log.ts'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { createActs } from '../../src/runs/acts.ts'
import { fire, type Occasion } from '../../src/runs/fire.ts'
import { createForgetting, removalOf } from '../../src/triggers/forget.ts'
import { replay } from '../../src/triggers/replay.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { openPostgresLedger, postgresNeed, stores, type OpenLedger } from '../support/open-ledger.ts'

const text = `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\noverlap: queue_all\n---\n`
const routine = parseOrRefuse('/routines/a.md', text, { defaultEngine: 'command', checkSchedule })
const day = 86_400_000
const came = new Date('2026-10-01T02:00:00Z')
const after = (days: number, ms = 0) => new Date(came.getTime() + days * day + ms)
const unread = { action: null, repository: null, sender: null, subject: null }

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('what events said', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(async () => {
      await open.clear()
      await open.setClock(came)
    })

    const forget = () => createForgetting({ ledger: open.ledger, keptMs: 30 * day, log: createLog('silent') }).tick()
    const acts = () =>
      createActs({ ledger: open.ledger, stopLocal: () => {}, wake: async () => {}, routineOf: () => routine })
    const deliver = async (key: string, isSettled = true) => {
      const body = Buffer.from(JSON.stringify({ key }))
      const { id } = await open.ledger.deliveries.receive({ source: 'sentry', key, event: 'issue', headers: {}, body })
      if (isSettled) await open.ledger.deliveries.settle(id, { ...unread, outcome: 'fired', reason: 'as told' })
      return id
    }
    const fireFor = async (key: string, more: Partial<Occasion>) =>
      (
        await open.ledger.transaction((tx) =>
          fire(tx, { routine, trigger: 'webhook', key, inputs: {}, by: 'sentry', ...more }),
        )
      ).run!
    const end = (run: string) => open.ledger.runs.endUnheld(run, { state: 'failed', reason: 'agent_exit', message: '' })
    const bodyOf = async (id: string) => (await open.ledger.deliveries.find(id))!.body.toString()
    const payloads = async () =>
      (await open.rows<{ payload: unknown }>('select payload from firings order by trigger_key')).map(
        (row) => row.payload,
      )

    test('is removed 30 days after it was settled, not a moment earlier; the row stays with its outcome', async () => {
      const id = await deliver('1')
      await open.setClock(after(30, -5000))
      await forget()
      expect(await bodyOf(id)).toBe('{"key":"1"}')
      await open.setClock(after(30, 60_000))
      await forget()
      const [row] = await open.ledger.occasions.startingWith(id)
      expect(row).toMatchObject({ key: '1', outcome: 'fired', reason: 'as told', bytes: 0 })
      expect(removalOf(row!)).toBe('body removed after 30 days')
      // The same one again is still the same one.
      const again = { source: 'sentry', key: '1', event: 'issue', headers: {}, body: Buffer.from('{}') }
      expect(await open.ledger.deliveries.receive(again)).toEqual({ id, fresh: false })
      await expect(replay(open.ledger, { delivery: id, by: 'ada' })).rejects.toThrow(
        `delivery ${id} cannot be replayed: body removed after 30 days`,
      )
    })

    test('stays while it is owed, and while a run is about it that has not ended, or a retry of one', async () => {
      const [owed, held, retried, over] = [
        await deliver('owed', false),
        await deliver('held'),
        await deliver('retried'),
        await deliver('over'),
      ] as const
      await fireFor('held', { delivery: held })
      const first = await fireFor('retried', { delivery: retried })
      await end(first)
      const second = await fireFor('second', { trigger: 'retry', retryOf: first })
      await end(second)
      await fireFor('third', { trigger: 'retry', retryOf: second })
      await end(await fireFor('over', { delivery: over }))
      await open.setClock(after(40))
      await forget()
      const left = await Promise.all([owed, held, retried, over].map(bodyOf))
      expect(left.map((body) => body !== '')).toEqual([true, true, true, false])
    })

    test('and no delivery holds goes, too: what a program said, what stood beside a delivery', async () => {
      const beside = await deliver('beside')
      await end(await fireFor('1', { trigger: 'api', payload: { n: 1 } }))
      await fireFor('2', { trigger: 'api', payload: { n: 2 } })
      await end(await fireFor('3', { delivery: beside, payload: { n: 3 } }))
      await open.setClock(after(31))
      await forget()
      expect(await payloads()).toEqual([null, { n: 2 }, null])
    })

    test('is told of where it is missed: such a run cannot be retried, unless its change is kept', async () => {
      const run = await fireFor('1', { trigger: 'api', payload: { n: 1 } })
      await end(run)
      const plain = await fireFor('2', { trigger: 'manual' })
      await end(plain)
      await open.setClock(after(31))
      expect((await acts().retry(run, 'ada')).fresh).toBe(true)
      await open.rows(`update runs set ended_at = clock() where ended_at is null`)
      await forget()
      await expect(acts().retry(run, 'ada')).rejects.toMatchObject({
        status: 409,
        hint: expect.stringContaining('fire a') as string,
      })
      expect((await acts().retry(plain, 'ada')).fresh).toBe(true)
      await open.rows(`update runs set reason = 'push_refused', exit = '{"because":"exit","code":0,"signal":null,"said":null}'
        where id = '${run}'`)
      await open.rows(`insert into patches (run, base, tree, changes, findings, diff, diff_cut)
        values ('${run}', 'b', 't', '[]', '[]', '', false)`)
      expect((await acts().retry(run, 'ada')).fresh).toBe(true)
    })

    test('is no reason to refuse the same Idempotency-Key as another request', async () => {
      const call = { trigger: 'api', payload: { n: 1 } } as const
      const run = await fireFor('api:k', call)
      await end(run)
      await expect(fireFor('api:k', { ...call, payload: { n: 2 } })).rejects.toThrow('another payload')
      await open.setClock(after(31))
      await forget()
      expect(await fireFor('api:k', call)).toBe(run)
    })

    test('goes in bounded looks, one a minute', async () => {
      const bodies = Array.from({ length: 2600 }, (_, index) => ({
        source: 'sentry',
        key: String(index),
        event: 'issue',
        headers: {},
        body: Buffer.from('{}'),
        outcome: 'unmatched' as const,
      }))
      for (let from = 0; from < bodies.length; from += 650)
        await open.ledger.deliveries.receiveAll(bodies.slice(from, from + 650))
      const left = async () =>
        (
          await open.rows<{ left: number }>(
            `select count(*)::int as left from deliveries where body_removed_at is null`,
          )
        )[0]!.left
      await open.setClock(after(31))
      await Promise.all([forget(), forget(), forget()])
      expect(await left()).toBe(600)
      await forget()
      expect(await left()).toBe(600)
      await open.setClock(after(31, 60_000))
      await forget()
      expect(await left()).toBe(0)
    })
  })
})

describe.skipIf(postgresNeed.skip)(`with several processes${postgresNeed.note}`, () => {
  test('a retry and a removal at the same moment: either its events are there, or it is refused', async () => {
    await using open = await openPostgresLedger()
    const others = await Promise.all([open.openAnother(), open.openAnother()])
    await using _close = {
      [Symbol.asyncDispose]: async () => {
        for (const store of others) await store.close()
      },
    }
    const [removing, retrying] = others.map(createLedger) as [OpenLedger['ledger'], OpenLedger['ledger']]
    await open.setClock(came)
    const runs: string[] = []
    for (let index = 0; index < 40; index++) {
      const occasion = { routine, trigger: 'api' as const, key: `${index}`, inputs: {}, by: 'ada', payload: { index } }
      const { run } = await open.ledger.transaction((tx) => fire(tx, occasion))
      await open.ledger.runs.endUnheld(run!, { state: 'failed', reason: 'agent_exit', message: '' })
      runs.push(run!)
    }
    await open.setClock(after(31))
    const acts = createActs({ ledger: retrying, stopLocal: () => {}, wake: async () => {}, routineOf: () => routine })
    const remove = async () => {
      for (let batch = 0; batch < 20; batch++) await removing.retention.removePayloads({ keptMs: 30 * day, limit: 2 })
    }
    const [answers] = await Promise.all([Promise.allSettled(runs.map((run) => acts.retry(run, 'ada'))), remove()])
    const kept = await open.rows<{ run: string }>(
      `select run from firings where payload is not null and trigger = 'api'`,
    )
    const retried = runs.filter((_, index) => answers[index]!.status === 'fulfilled')
    expect(kept.map(({ run }) => run).toSorted()).toEqual(retried.toSorted())
  })
})
