import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { readBackground } from '../../src/runs/background.ts'
import { fire, type Occasion } from '../../src/runs/fire.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('what a run is told', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const text = `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\n---\n`
    const routine = parseOrRefuse('/routines/a.md', text, { defaultEngine: 'command', checkSchedule })
    const fireOnce = (key: string, more: Partial<Occasion> = {}) =>
      open.ledger.transaction((tx) => fire(tx, { routine, trigger: 'webhook', key, inputs: {}, by: 'sentry', ...more }))
    const deliver = async (key: string, body: string) =>
      (
        await open.ledger.deliveries.receive({
          source: 'sentry',
          key,
          event: 'issue',
          headers: {},
          body: Buffer.from(body),
        })
      ).id
    const payloadOf = ({ body }: { body: Buffer }) => JSON.parse(body.toString()) as Record<string, unknown>
    const told = async (run: string | null) =>
      readBackground({ ledger: open.ledger, payloadOf }, (await open.ledger.runs.find(run!))!)
    const end = (run: string | null) =>
      open.ledger.runs.endUnheld(run!, { state: 'failed', reason: 'internal', message: '' })

    test('is every event it took along, in their order, with what stood beside a delivery', async () => {
      const first = await fireOnce('1', { delivery: await deliver('1', '{"n":1,"a":"x"}'), payload: { a: 'y' } })
      await fireOnce('2', { trigger: 'schedule' })
      await fireOnce('3', { trigger: 'api', payload: { n: 3 } })
      await fireOnce('4', { delivery: await deliver('4', '{"n":4}') })
      const { events, leftOut, trigger } = await told(first.run)
      expect(events.map((event) => event.payload)).toEqual([{ n: 1, a: 'y' }, { n: 3 }, { n: 4 }])
      expect(events.map((event) => event.source)).toEqual(['sentry', null, 'sentry'])
      expect([leftOut, trigger]).toEqual([0, 'webhook'])
    })

    test('is, for a retry of a retry, what the first run was about', async () => {
      const first = await fireOnce('1', { payload: { n: 1 } })
      await end(first.run)
      const second = await fireOnce('2', { trigger: 'retry', retryOf: first.run! })
      await end(second.run)
      const third = await fireOnce('3', { trigger: 'retry', retryOf: second.run! })
      await fireOnce('4', { payload: { n: 4 } })
      const { events, trigger } = await told(third.run)
      expect([events.map((event) => event.payload), trigger]).toEqual([[{ n: 1 }, { n: 4 }], 'webhook'])
    })

    test('is no more than fits: the newest events, and how many older ones there were', async () => {
      const large = JSON.stringify({ pad: 'x'.repeat(7 * 1024 * 1024) })
      const runs = []
      for (const key of ['1', '2', '3', '4']) runs.push(await fireOnce(key, { delivery: await deliver(key, large) }))
      const { events, leftOut } = await told(runs[0]!.run)
      expect([events.length, leftOut]).toEqual([2, 2])
    })

    test('is when it last ended well, and how many slots passed since', async () => {
      const before = await fireOnce('1')
      expect((await told(before.run)).lastSuccess).toBeNull()
      const [handed] = await open.ledger.owed.markDispatched([before.run!])
      const claimed = await open.ledger.transaction((tx) =>
        tx.owed.claim({ runId: before.run!, attempt: handed!.attempt }, 'w', 30_000),
      )
      await open.ledger.hold(claimed!, { leaseMs: 30_000 }).end({ state: 'unchanged', reason: null, message: null })
      const now = await open.ledger.now()
      for (const minutes of [-1, 1, 2])
        await open.rows(
          `insert into slots (routine, at, outcome) values ('a', '${new Date(now.getTime() + minutes * 60_000).toISOString()}', 'missed')`,
        )
      const after = await fireOnce('2')
      expect(await told(after.run)).toMatchObject({ missed: 2, lastSuccess: { id: before.run } })
    })
  })
})
