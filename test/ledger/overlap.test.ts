import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Run } from '../../src/ledger/schema.ts'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { fire, type Fired, type Occasion } from '../../src/runs/fire.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, store, open: opening }) => {
  describe.skipIf(skip)('occasions', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const leaseMs = 30_000
    const crowd = store === 'PGlite' ? 20 : 200
    const routine = (frontMatter: string, note = '') =>
      parseOrRefuse(
        '/routines/a.md',
        `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\n${frontMatter}\n---\n${note}\n`,
        { defaultEngine: 'command', checkSchedule },
      )
    const state = { keys: 0 }
    const fireOn = (frontMatter: string, more: Partial<Occasion> = {}): Promise<Fired> => {
      const key = `key ${(state.keys += 1)}`
      const occasion = {
        routine: routine(frontMatter),
        trigger: 'webhook' as const,
        key,
        inputs: {},
        by: 'test',
        ...more,
      }
      return open.ledger.transaction((tx) => fire(tx, occasion))
    }
    const find = async (run: string | null) => (await open.ledger.runs.find(run!))!
    /** Handed to a worker, which has it now. */
    async function begin(run: string | null): Promise<Run> {
      const [handed] = await open.ledger.owed.markDispatched([run!])
      return (await open.ledger.transaction((tx) =>
        tx.owed.claim({ runId: run!, attempt: handed!.attempt }, 'worker', leaseMs),
      ))!
    }
    const payloads = async (run: string | null) =>
      (await open.ledger.firings.ofRun(run!)).map((firing) => firing.payload?.['n'])
    async function later(ms: number): Promise<void> {
      await open.setClock(new Date((await open.ledger.now()).getTime() + ms))
    }

    test('skip: while a run has not ended nothing is started, and the firing says why; afterwards it is', async () => {
      const first = await fireOn('overlap: skip')
      const run = await begin(first.run)
      expect(await fireOn('overlap: skip')).toMatchObject({
        run: null,
        firing: { outcome: 'skipped', reason: 'overlap', run: null },
      })
      expect((await fireOn('overlap: skip', { trigger: 'manual' })).firing.outcome).toBe('accepted')
      for (const { id } of await open.ledger.runs.list({ states: ['queued'] }))
        await open.ledger.runs.endUnheld(id, { state: 'cancelled', reason: 'cancelled', message: '' })
      await open.ledger.hold(run, { leaseMs }).end({ state: 'unchanged', reason: null, message: null })
      expect((await fireOn('overlap: skip')).firing.outcome).toBe('accepted')
    })

    test('skip: a change that waits for a person skips nothing', async () => {
      const run = await begin((await fireOn('overlap: skip')).run)
      await open.ledger.hold(run, { leaseMs }).end({ state: 'needs_approval', reason: 'policy', message: null })
      expect((await fireOn('overlap: skip')).firing.outcome).toBe('accepted')
      await open.ledger.runs.approve(run.id, 'ada')
      await open.rows(`delete from runs where state = 'queued'`)
      expect((await fireOn('overlap: skip')).firing.outcome).toBe('accepted')
    })

    test('queue_one: events join the run that waits, which gets all of them in order', async () => {
      const working = await begin((await fireOn('', { payload: { n: 1 } })).run)
      const fired = []
      for (const n of [2, 3, 4]) fired.push(await fireOn('', { payload: { n } }))
      expect(fired.map((one) => one.firing.outcome)).toEqual(['accepted', 'coalesced', 'coalesced'])
      expect(fired.map((one) => one.firing.reason)).toEqual([null, 'coalesced', 'coalesced'])
      expect(await payloads(fired[0]!.run)).toEqual([2, 3, 4])
      expect(await payloads(working.id)).toEqual([1])
    })

    test('queue_one: a new text takes the place of the old one and its events along', async () => {
      const first = await fireOn('', { payload: { n: 1 } })
      await fireOn('', { payload: { n: 2 } })
      const second = await fireOn('', { routine: routine('', 'another text'), payload: { n: 3 } })
      expect(await payloads(second.run)).toEqual([1, 2, 3])
      expect(await find(first.run)).toMatchObject({ state: 'skipped', reason: 'superseded' })
    })

    test('queue_one: what is about another subject waits beside it', async () => {
      const seven = await fireOn('', { subject: 'pr-7' })
      const eight = await fireOn('', { subject: 'pr-8', routine: routine('', 'another text') })
      expect([(await find(seven.run)).state, (await find(eight.run)).state]).toEqual(['queued', 'queued'])
      expect((await fireOn('', { subject: 'pr-7' })).run).toBe(seven.run)
    })

    test('queue_all: each occasion is a run', async () => {
      for (let n = 0; n < 3; n++) await fireOn('overlap: queue_all')
      expect((await open.ledger.runs.list()).map((run) => run.state)).toEqual(['queued', 'queued', 'queued'])
    })

    test('a backfill waits in line whatever the overlap', async () => {
      for (let n = 0; n < 3; n++) await fireOn('overlap: skip', { trigger: 'backfill' })
      expect((await open.ledger.runs.list()).length).toBe(3)
    })

    test('cancel_running: what works is asked to stop, what waits is skipped, and both say whose place was taken', async () => {
      const working = await begin((await fireOn('overlap: cancel_running')).run)
      const handed = await fireOn('overlap: cancel_running')
      await open.ledger.owed.markDispatched([handed.run!])
      const waiting = await fireOn('overlap: cancel_running')
      expect(await find(handed.run)).toMatchObject({ state: 'cancelled', reason: 'superseded' })
      const heard: string[] = []
      const stop = await open.ledger.watch((run, kind) => heard.push(`${kind} ${run}`))
      const newest = await fireOn('overlap: cancel_running')
      await expect.poll(() => heard).toContain(`cancel ${working.id}`)
      await stop()
      expect(await find(waiting.run)).toMatchObject({ state: 'skipped', reason: 'superseded' })
      expect((await find(waiting.run)).message).toContain(newest.run)
      expect(await find(newest.run)).toMatchObject({ state: 'queued' })
      expect(await open.ledger.hold(working, { leaseMs }).renew()).toMatchObject({
        cancelRequested: true,
        reason: 'superseded',
        message: expect.stringContaining(newest.run!),
      })
    })

    test('keys are held apart from each other', async () => {
      const perPull = `overlap: cancel_running\nconcurrency: "{{ event.number }}"`
      const seven = await begin((await fireOn(perPull, { event: { number: 7 } })).run)
      const eight = await fireOn(perPull, { event: { number: 8 } })
      expect(await find(seven.id)).toMatchObject({ concurrencyKey: '7', cancelRequestedAt: null })
      const again = await fireOn(perPull, { event: { number: 7 } })
      expect(await find(seven.id)).toMatchObject({ cancelRequestedAt: expect.any(Date) })
      expect([(await find(eight.run)).state, (await find(again.run)).state]).toEqual(['queued', 'queued'])
    })

    test('debounce: events push the start, never past max, and once it is over the next begins a new run', async () => {
      const debounced = 'overlap: queue_all\ndebounce: { wait: 2m, max: 5m }'
      await open.setClock('2026-03-02T10:00:00Z')
      const first = await fireOn(debounced, { payload: { n: 0 } })
      const startOf = async () => (await find(first.run)).notBefore.toISOString().slice(11, 16)
      const starts = [await startOf()]
      for (const [n, ms] of [60_000, 60_000, 90_000, 80_000].entries()) {
        await later(ms)
        expect((await fireOn(debounced, { payload: { n: n + 1 } })).run).toBe(first.run)
        starts.push(await startOf())
      }
      expect(starts).toEqual(['10:02', '10:03', '10:04', '10:05', '10:05'])
      expect(await payloads(first.run)).toEqual([0, 1, 2, 3, 4])
      expect(await find(first.run)).toMatchObject({ waitsFor: expect.stringContaining('more events') })
      await later(20_000)
      expect((await fireOn(debounced)).run).not.toBe(first.run)
    })

    test.each(['queue_one', 'cancel_running'])(
      '%s, debounce: events that each want something else push the start, never past max',
      async (mode) => {
        const debounced = `overlap: ${mode}\ndebounce: { wait: 2m, max: 5m }`
        await open.setClock('2026-03-02T10:00:00Z')
        const starts = []
        for (let n = 0; n < 7; n++) {
          const { run } = await fireOn(debounced, { inputs: { title: `event ${n}` } })
          starts.push((await find(run)).notBefore.toISOString().slice(11, 16))
          await later(60_000)
        }
        // At 10:06 the run of 10:05 is due and not at work yet: who takes its place does not wait either.
        expect(starts).toEqual(['10:02', '10:03', '10:04', '10:05', '10:05', '10:05', '10:06'])
        const { run } = await fireOn(debounced, { inputs: { title: 'last' } })
        await begin(run)
        const next = await find((await fireOn(debounced)).run)
        expect(next.notBefore.getTime() - next.createdAt.getTime()).toBeGreaterThan(119_000)
      },
    )

    test('the cooldown is counted from runs that start: one whose place is taken holds up nothing', async () => {
      const cooled = 'pace: { cooldown: 30m }'
      await open.setClock('2026-03-02T10:00:00Z')
      await begin((await fireOn(cooled)).run)
      const starts = []
      for (let n = 0; n < 3; n++) {
        await later(60_000)
        const { run } = await fireOn(cooled, { inputs: { title: `event ${n}` } })
        starts.push((await find(run)).notBefore.toISOString().slice(11, 16))
      }
      expect(starts).toEqual(['10:30', '10:30', '10:30'])
    })

    test('debounce: what a worker has is joined by nobody', async () => {
      const debounced = 'debounce: { wait: 2m }'
      const first = await fireOn(debounced)
      await begin(first.run)
      expect((await fireOn(debounced)).run).not.toBe(first.run)
    })

    test(`${crowd} equal events are two runs: the one at work, and one with all others`, async () => {
      await begin((await fireOn('')).run)
      const events = Array.from({ length: crowd }, (_, n) => n).values()
      const sender = async () => {
        for (const n of events) await fireOn('', { payload: { n } })
      }
      await Promise.all(Array.from({ length: 8 }, sender))
      const [waiting] = await open.ledger.runs.list({ states: ['queued'] })
      const taken = await payloads(waiting!.id)
      expect([(await open.ledger.runs.list()).length, new Set(taken).size]).toEqual([2, crowd])
    })

    test('routines that fire each other come to an end, and say so', async () => {
      const depths = []
      for (let depth = 0; depth < 6; depth++)
        depths.push((await fireOn('overlap: queue_all', { trigger: 'routine', depth })).firing)
      expect(depths.map((firing) => firing.reason)).toEqual([null, null, null, null, 'depth', 'depth'])
    })

    test('a run that is joined from deeper down is as deep', async () => {
      const first = await fireOn('')
      await fireOn('', { trigger: 'routine', depth: 3 })
      expect(await find(first.run)).toMatchObject({ depth: 3 })
    })

    test('limits count by what is known of the repository when it is fired', async () => {
      const { run } = await fireOn('limits: { at_once: 2 }\noverlap: { parallel: 5 }', { sender: 'ada' })
      expect(await find(run)).toMatchObject({
        repository: '/routines/shop',
        routineLimit: 2,
        parallel: 5,
        sender: 'ada',
      })
    })
  })
})
