import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { createLog } from '../../src/log.ts'
import { createAutoPause } from '../../src/runs/auto-pause.ts'
import { fire, type Occasion } from '../../src/runs/fire.ts'
import { applyRoutines } from '../../src/triggers/apply-routines.ts'
import { pause, resume } from '../../src/triggers/pausing.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'
import { tickAll } from '../support/tick-all.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('a pause', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(async () => {
      await open.clear()
      await open.setClock('2026-03-02T10:02:00Z')
      await apply('a', 'b')
    })

    const routineOf = (version: { file: string; source: string }) =>
      parseOrRefuse(version.file, version.source, { defaultEngine: 'command', checkSchedule })
    const routine = (name: string, note = '') =>
      routineOf({
        file: `/routines/${name}.md`,
        source: `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\non: { schedule: { cron: "*/5 * * * *", timezone: UTC } }\n---\n${note}\n`,
      })
    const apply = (...names: string[]) =>
      applyRoutines(open.ledger, { routines: names.map((name) => routine(name)), broken: new Map() })
    const ticks = () => tickAll({ ledger: open.ledger, routineOf })
    async function at(time: string): Promise<void> {
      await open.setClock(`2026-03-02T${time}:01Z`)
      await ticks()
    }
    async function slots(name: string): Promise<string[]> {
      const rows = await open.rows<{ at: string | Date; outcome: string; reason: string | null }>(
        `select * from slots where routine = '${name}' order by at`,
      )
      return rows.map(({ at, outcome, reason }) =>
        [new Date(at).toISOString().slice(11, 16), outcome, ...(outcome === 'skipped' ? [reason] : [])].join(' '),
      )
    }
    const held = (name: string | undefined) => pause(open.ledger, { routine: name, by: 'ada', reason: 'release week' })
    const released = (name: string | undefined) => resume(open.ledger, { routine: name, by: 'ada' })
    const fireOnce = (name: string, trigger: Occasion['trigger'], key: string) =>
      open.ledger.transaction((tx) => fire(tx, { routine: routine(name), trigger, key, inputs: {}, by: 'test' }))

    test('of one routine skips its slots, which stay on record, and nobody else’s', async () => {
      await at('10:05')
      expect(await held('a')).toEqual({ changed: true })
      await at('10:10')
      expect(await slots('a')).toEqual(['10:05 fired', '10:10 skipped paused'])
      expect((await slots('b')).length).toBe(2)
      expect((await slots('b')).join()).not.toContain('skipped')
      expect(await open.ledger.pauses.of('a')).toMatchObject({ whole: false, by: 'ada', reason: 'release week' })
      expect(await open.ledger.pauses.of('b')).toBeUndefined()
    })

    test('holds what comes by itself, each with the reason; people fire all the same', async () => {
      await held('a')
      for (const trigger of ['schedule', 'github', 'webhook', 'api', 'routine'] as const) {
        const fired = await fireOnce('a', trigger, `${trigger}:1`)
        expect(fired).toMatchObject({ run: null, fresh: true, firing: { outcome: 'skipped', reason: 'paused' } })
        expect(await fireOnce('a', trigger, `${trigger}:1`)).toMatchObject({ run: null, fresh: false })
      }
      for (const trigger of ['manual', 'retry', 'backfill'] as const)
        expect((await fireOnce('a', trigger, `${trigger}:1`)).run).not.toBeNull()
    })

    test('resumed, it goes on from now: nothing that passed is caught up with', async () => {
      await held('a')
      await at('10:05')
      // Nobody ticks until 10:31: nothing ran in that time.
      await open.setClock('2026-03-02T10:31:00Z')
      expect(await released('a')).toEqual({ changed: true })
      await ticks()
      expect(await slots('a')).toEqual(
        ['05', '10', '15', '20', '25', '30'].map((minute) => `10:${minute} skipped paused`),
      )
      await at('10:35')
      expect((await slots('a')).at(-1)).toBe('10:35 fired')
    })

    test('a slot that is still owed when it ends belongs to the pause', async () => {
      await held('a')
      await open.rows(`insert into slots (routine, at) values ('a', '2026-03-02T10:05Z'), ('b', '2026-03-02T10:05Z')`)
      await released('a')
      expect(await slots('a')).toEqual(['10:05 skipped paused'])
      expect(await slots('b')).toEqual(['10:05 '])
    })

    test('of everything holds all; one that is paused itself stays so when the rest goes on', async () => {
      await held('a')
      expect(await held(undefined)).toEqual({ changed: true })
      await at('10:05')
      expect([await slots('a'), await slots('b')]).toEqual([['10:05 skipped paused'], ['10:05 skipped paused']])
      await open.setClock('2026-03-02T10:12:00Z')
      await released(undefined)
      await at('10:15')
      expect((await slots('a')).at(-1)).toBe('10:15 skipped paused')
      expect(await slots('b')).toEqual(['10:05 skipped paused', '10:10 skipped paused', '10:15 fired'])
      expect(await open.ledger.pauses.wholeResumedAt()).toEqual(new Date(await resumedAt()))
    })
    const resumedAt = async () => (await open.rows<{ at: string | Date }>('select at from settings'))[0]!.at

    test('survives that the file is applied again, changed or not', async () => {
      await held('a')
      await apply('a', 'b')
      const changed = [routine('a', 'other words'), routine('b')]
      await applyRoutines(open.ledger, { routines: changed, broken: new Map() })
      expect(await open.ledger.pauses.of('a')).toMatchObject({ reason: 'release week' })
    })

    test('twice is once, and only acts that changed something are audited', async () => {
      await held('a')
      const since = (await open.ledger.pauses.of('a'))!.at
      await open.setClock('2026-03-02T10:03:00Z')
      expect(await pause(open.ledger, { routine: 'a', by: 'bob', reason: null })).toEqual({ changed: false })
      expect(await open.ledger.pauses.of('a')).toMatchObject({ by: 'ada', at: since })
      await released('a')
      expect(await released('a')).toEqual({ changed: false })
      expect(await released(undefined)).toEqual({ changed: false })
      const rows = await open.rows(`select actor, action, subject, data from audit where actor <> 'files' order by id`)
      expect(rows).toEqual([
        { actor: 'ada', action: 'pause', subject: 'a', data: { reason: 'release week' } },
        { actor: 'ada', action: 'resume', subject: 'a', data: {} },
      ])
    })

    test('many at once are one pause', async () => {
      const changes = await Promise.all(Array.from({ length: 10 }, () => held('a')))
      expect(changes.filter(({ changed }) => changed).length).toBe(1)
      const ends = await Promise.all(Array.from({ length: 10 }, () => released('a')))
      expect(ends.filter(({ changed }) => changed).length).toBe(1)
    })

    describe('by itself', () => {
      const urls = ['https://alerts.example/']
      const log = createLog('silent')
      /** Fires in person, and ends as a worker does. */
      async function ends(
        state: 'failed' | 'published' | 'timed_out',
        reason: string | null,
        note = '',
      ): Promise<void> {
        const text = routine('a', note)
        const key = `manual:${Math.random()}`
        const { run } = await open.ledger.transaction((tx) =>
          fire(tx, { routine: text, trigger: 'manual', key, inputs: {}, by: 'ada', alone: false }),
        )
        const [handed] = await open.ledger.owed.markDispatched([run!])
        const claimed = await open.ledger.transaction((tx) =>
          tx.owed.claim({ runId: run!, attempt: handed!.attempt }, 'worker', 30_000),
        )
        const atTheEnd = createAutoPause({ routineOf, alertUrls: urls, log })
        await open.ledger.hold(claimed!, { leaseMs: 30_000, atTheEnd }).end({ state, reason, message: null })
      }
      const pausedBy = async () => (await open.ledger.pauses.of('a'))?.by

      test('after five failures, with an alert and a message; resumed, it counts anew', async () => {
        for (let count = 1; count <= 4; count++) await ends('failed', 'agent_exit')
        await ends('failed', 'forge_unavailable')
        expect(await pausedBy()).toBeUndefined()
        await ends('timed_out', 'time_limit')
        expect(await pausedBy()).toBe('overnight')
        expect(await open.ledger.alerts.open()).toMatchObject([{ kind: 'routine_paused', routine: 'a' }])
        const sent = await open.rows<{ kind: string; body: { message: string } }>('select kind, body from outbox')
        expect(sent.map(({ kind }) => kind)).toEqual(['routine.paused'])
        expect(sent[0]!.body.message).toMatch(/^a was paused: it failed 5 times one after the other/)
        await open.setClock('2026-03-02T10:03:00Z')
        await released('a')
        expect(await open.ledger.alerts.open()).toEqual([])
        await open.setClock('2026-03-02T10:04:00Z')
        for (let count = 1; count <= 4; count++) await ends('failed', 'agent_exit')
        expect(await pausedBy()).toBeUndefined()
        await ends('failed', 'agent_exit')
        expect(await pausedBy()).toBe('overnight')
      })

      test('and removed, it is no alert any more', async () => {
        for (const name of ['a', 'b'])
          await open.ledger.alerts.raise(
            { kind: 'routine_paused', key: `paused:${name}`, routine: name, message: '' },
            [],
          )
        await open.ledger.alerts.raise({ kind: 'slot_unrecorded', key: 'slot:a', routine: 'a', message: '' }, [])
        await apply('b')
        expect((await open.ledger.alerts.open()).map(({ key }) => key)).toEqual(['slot:a', 'paused:b'])
      })

      test('removed and put back, it begins anew; what a person paused stays paused', async () => {
        await apply('a', 'b')
        await held('b')
        for (let count = 1; count <= 5; count++) await ends('failed', 'agent_exit')
        expect(await pausedBy()).toBe('overnight')
        await apply()
        await open.setClock('2026-03-02T10:03:00Z')
        await apply('a', 'b')
        expect((await open.ledger.pauses.list()).map(({ routine: name }) => name)).toEqual(['b'])
        for (let count = 1; count <= 4; count++) await ends('failed', 'agent_exit')
        expect(await pausedBy()).toBeUndefined()
        await ends('failed', 'agent_exit')
        expect(await pausedBy()).toBe('overnight')
        expect((await open.ledger.alerts.open()).length).toBe(1)
      })

      test('a success between them, or a text that is not in force, pauses nothing', async () => {
        for (let count = 1; count <= 4; count++) await ends('failed', 'agent_exit')
        await ends('published', null)
        for (let count = 1; count <= 4; count++) await ends('failed', 'agent_exit')
        for (let count = 1; count <= 5; count++) await ends('failed', 'agent_exit', 'another text')
        expect(await pausedBy()).toBeUndefined()
      })
    })

    test('a routine that is not in force cannot be paused', async () => {
      await expect(held('nobody')).rejects.toThrow(/no routine in force "nobody"/)
      await expect(released('nobody')).rejects.toThrow(/no routine in force "nobody"/)
    })
  })
})
