import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLog } from '../../src/log.ts'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { fire } from '../../src/runs/fire.ts'
import { applyRoutines } from '../../src/triggers/apply-routines.ts'
import { pause, resume } from '../../src/triggers/pausing.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { createWatch } from '../../src/triggers/watch/watch.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'
import { tickAll } from '../support/tick-all.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('the watch', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    /** The process's own clock, which goes with the ledger's unless a test says otherwise. */
    let own: number
    let time: number
    beforeEach(async () => {
      await open.clear()
      own = 0
      await setTime('10:02:00')
    })
    async function setTime(clock: string): Promise<void> {
      time = Date.parse(`2026-03-02T${clock}Z`)
      await open.setClock(new Date(time))
    }
    async function later(seconds: number): Promise<void> {
      time += seconds * 1000
      own += seconds * 1000
      await open.setClock(new Date(time))
    }

    const routineOf = (version: { file: string; source: string }) =>
      parseOrRefuse(version.file, version.source, { defaultEngine: 'command', checkSchedule })
    const routine = (name: string, { cron = '*/5 * * * *', note = '' } = {}) =>
      routineOf({
        file: `/routines/${name}.md`,
        source: `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\non: { schedule: { cron: "${cron}", timezone: UTC } }\n---\n${note}\n`,
      })
    const apply = (...routines: ReturnType<typeof routine>[]) =>
      applyRoutines(open.ledger, { routines, broken: new Map() })
    const tick = () => tickAll({ ledger: open.ledger, routineOf })
    const openWatch = () =>
      createWatch({
        ledger: open.ledger,
        routineOf,
        bounds: { slotMs: 60_000, startMs: 600_000, everyMs: 15_000, aliveMs: 15_000 },
        urls: ['https://alerts.example/'],
        own: () => own,
        log: createLog('silent'),
      })
    type Watch = ReturnType<typeof openWatch>
    /** Looks as its process does, every 15 seconds; `ticking`: a scheduler lives beside it. */
    async function looks(
      seconds: number,
      { watch, ticking = false }: { watch: Watch; ticking?: boolean },
    ): Promise<void> {
      for (let passed = 0; passed < seconds; passed += 15) {
        await later(15)
        if (ticking) await tick()
        await watch.look()
      }
    }
    const alerts = async () => (await open.ledger.alerts.open()).map(({ key }) => key).toSorted()
    const messages = async () =>
      (await open.rows<{ kind: string }>('select kind from outbox order by created_at, id')).map(({ kind }) => kind)

    test('tells of a slot that no scheduler takes up within 90 s of its instant, once, and of the row when it comes', async () => {
      await apply(routine('a'))
      const watch = openWatch()
      await looks(465, { watch, ticking: true })
      expect(await alerts()).toEqual([])
      // From 10:09:45 on the scheduler stands still: the slot of 10:10 gets no row.
      await looks(60, { watch })
      expect(await alerts()).toEqual([])
      await looks(45, { watch })
      expect(time).toBe(Date.parse('2026-03-02T10:11:30Z'))
      expect(await alerts()).toEqual(['slot:a:2026-03-02T10:10:00.000Z'])
      expect(await messages()).toEqual(['alert.raised'])
      await tick()
      await looks(15, { watch })
      expect(await alerts()).toEqual([])
      expect(await messages()).toEqual(['alert.raised', 'alert.cleared'])
    })

    test('a fault stays known, and is made good, however many routines were paused since', async () => {
      await apply(routine('a'))
      const watch = openWatch()
      await looks(300, { watch })
      await open.rows(
        `insert into alerts (kind, key, routine, message) select 'routine_paused', 'paused:' || n, n, '' from generate_series(1, 101) as n`,
      )
      await looks(15, { watch })
      expect(watch.faults().map(({ key }) => key)).toEqual(['slot:a:2026-03-02T10:05:00.000Z'])
      await tick()
      await looks(15, { watch })
      expect(watch.faults()).toEqual([])
      expect(await open.rows(`select from alerts where routine = 'a' and cleared_at is null`)).toEqual([])
    })

    test('finds what is due by the text alone: no row of the scheduler’s own leads it', async () => {
      await apply(routine('a'))
      await open.rows(`update schedules set next_fire_at = '2099-01-01'`)
      await open.rows('delete from schedules')
      const watch = openWatch()
      await looks(300, { watch, ticking: true })
      expect(await alerts()).toEqual(['slot:a:2026-03-02T10:05:00.000Z'])
    })

    test('many that look at once tell it once', async () => {
      await apply(routine('a'), routine('b'))
      const watches = Array.from({ length: 5 }, openWatch)
      for (let round = 0; round < 20; round++) {
        await later(15)
        await Promise.all(watches.map((watch) => watch.look()))
      }
      expect(await alerts()).toEqual(['slot:a:2026-03-02T10:05:00.000Z', 'slot:b:2026-03-02T10:05:00.000Z'])
      expect(await messages()).toEqual(['alert.raised', 'alert.raised'])
    })

    test('a slot whose row says for longer that it is owed is told of, with why', async () => {
      await apply(routine('a'))
      await later(181)
      await open.rows(
        `insert into slots (routine, at, reason) values ('a', '2026-03-02T10:05:00Z', 'the disk is full')`,
      )
      await open.rows(`update schedules set next_fire_at = '2026-03-02T10:10:00Z'`)
      await looks(120, { watch: openWatch() })
      const [alert] = await open.ledger.alerts.open()
      expect(alert).toMatchObject({
        routine: 'a',
        message: expect.stringContaining('nothing comes of it: the disk') as string,
      })
    })

    describe('after a clock that ran ahead and is right again', () => {
      const rightNow = '10:02:00'
      const ahead = (time: string) => open.setClock(time)

      test('tells of slots that no scheduler takes up, whatever one row stood for', async () => {
        await apply(routine('a', { cron: '* * * * *' }))
        const watch = openWatch()
        await looks(30, { watch, ticking: true })
        await ahead('2026-04-02T10:02:00Z')
        await tick()
        await watch.look()
        expect(await open.rows(`select from slots where reason = 'unlisted'`)).toHaveLength(1)
        await setTime('10:03:30')
        await looks(180, { watch })
        expect(await alerts()).toEqual(['slot:a:2026-03-02T10:04:00.000Z'])
        await setTime('10:06:30')
        await looks(60, { watch, ticking: true })
        await looks(120, { watch, ticking: true })
        expect(await alerts()).toEqual([])
      })

      test('tells of those of a routine that was put in force by it', async () => {
        await ahead('2027-03-02T10:02:00Z')
        await apply(routine('a'))
        const watches = [openWatch()]
        await watches[0]!.look()
        await setTime(rightNow)
        watches.push(openWatch())
        for (let passed = 0; passed < 300; passed += 15) {
          await later(15)
          for (const watch of watches) await watch.look()
        }
        expect(await alerts()).toEqual(['slot:a:2026-03-02T10:05:00.000Z'])
      })

      test('is silent when a scheduler saw to it', async () => {
        await apply(routine('a', { cron: '* * * * *' }))
        await ahead('2026-04-02T10:02:00Z')
        await tick()
        await setTime('10:20:00')
        await looks(300, { watch: openWatch(), ticking: true })
        expect(await alerts()).toEqual([])
      })
    })

    describe('does not cry wolf', () => {
      test('at a start after downtime: the scheduler gets its time first', async () => {
        await apply(routine('a', { cron: '* * * * *' }))
        await later(3 * 86_400)
        const watch = openWatch()
        await looks(45, { watch })
        expect(await alerts()).toEqual([])
        await tick()
        await looks(120, { watch, ticking: true })
        expect(await alerts()).toEqual([])
      })

      test.each([
        ['the machine slept', 8 * 3600, 0],
        ['the process stood still', 600, 600],
        ['the ledger’s clock was set forward', 3600, 0],
        ['the ledger’s clock was set back', -1800, 0],
      ] as const)('when %s', async (_, ledgerSeconds, ownSeconds) => {
        await apply(routine('a', { cron: '* * * * *' }))
        const watch = openWatch()
        await looks(120, { watch, ticking: true })
        own += (ownSeconds - ledgerSeconds) * 1000
        await later(ledgerSeconds)
        await watch.look()
        await looks(30, { watch })
        expect(await alerts()).toEqual([])
        await looks(120, { watch, ticking: true })
        expect(await alerts()).toEqual([])
      })

      test.each([
        ['is removed', () => apply(routine('b'))],
        ['gets other times', () => apply(routine('a', { cron: '0 3 * * *' }), routine('b'))],
        ['is changed', () => apply(routine('a', { note: 'other words' }), routine('b'))],
        ['is paused', () => pause(open.ledger, { routine: 'a', by: 'ada', reason: null })],
        ['is paused with all others', () => pause(open.ledger, { routine: undefined, by: 'ada', reason: null })],
      ] as const)('when a routine %s after its slot; an alert that was told is cleared', async (_, act) => {
        await apply(routine('a'), routine('b', { cron: '0 5 * * *' }))
        const watch = openWatch()
        await looks(300, { watch })
        expect(await alerts()).toEqual(['slot:a:2026-03-02T10:05:00.000Z'])
        await act()
        await looks(15, { watch })
        expect(await alerts()).toEqual([])
        await looks(60, { watch: openWatch() })
        expect(await alerts()).toEqual([])
      })

      test('of slots that passed in a pause', async () => {
        await apply(routine('a'))
        await pause(open.ledger, { routine: undefined, by: 'ada', reason: null })
        const watch = openWatch()
        await looks(330, { watch })
        await resume(open.ledger, { routine: undefined, by: 'ada' })
        await looks(120, { watch })
        expect(await alerts()).toEqual([])
      })

      test('of slots that one row stands for, and of a text that cannot be read', async () => {
        await apply(routine('a'), routine('b'))
        await open.rows(`update routine_versions set source = '---\nodd: 1\n---' where routine = 'b'`)
        await open.rows(
          `insert into slots (routine, at, outcome, reason, recorded_at)
            values ('a', '2026-03-02T10:03:00Z', 'missed', 'unlisted', '2026-03-02T10:05:01Z')`,
        )
        await looks(300, { watch: openWatch() })
        expect(await alerts()).toEqual([])
      })
    })

    describe('runs that were accepted', () => {
      const fireOne = (key: string) =>
        open.ledger.transaction((tx) =>
          fire(tx, { routine: routine('a'), trigger: 'manual', key, inputs: {}, by: 'test', alone: true }),
        )

      test('and that nobody starts are told of once, and cleared when they start', async () => {
        const [first] = [await fireOne('1'), await fireOne('2')]
        const watch = openWatch()
        await looks(585, { watch })
        expect(await alerts()).toEqual([])
        await looks(45, { watch })
        const [alert] = await open.ledger.alerts.open()
        expect(alert).toMatchObject({
          key: 'runs',
          message: expect.stringContaining(`2 runs, the oldest of them ${first.run}`) as string,
        })
        await open.rows('update runs set started_at = clock()')
        await looks(15, { watch })
        expect(await messages()).toEqual(['alert.raised', 'alert.cleared'])
      })

      test.each([
        ['that are not to start yet', `update runs set not_before = clock() + interval '1 hour'`],
        ['that have ended', `update runs set ended_at = clock(), state = 'cancelled'`],
        [
          'whose routine has another at work',
          `insert into runs (id, routine, hash, file, trigger, trigger_key, inputs, subject, engine, state, started_at, lease_until)
            select 'r2', 'a', hash, file, trigger, 'k', inputs, subject, engine, 'working', clock(), clock() + '1 day' from runs`,
        ],
        [
          'whose repository has another at work, written otherwise',
          `with w as (update runs set repository = 'acme/shop')
            insert into runs (id, routine, hash, file, trigger, trigger_key, inputs, subject, engine, state, started_at, lease_until, repository)
            select 'r2', 'b', hash, file, trigger, 'k', inputs, subject, engine, 'working', clock(), clock() + '1 day', 'Acme/Shop' from runs`,
        ],
        [
          'for which no worker has a hand free',
          `with w as (insert into workers (id, host, pid, slots, seen_at) values ('w', 'h', 1, 1, clock() + '1 day'))
            insert into runs (id, routine, hash, file, trigger, trigger_key, inputs, subject, engine, state, started_at, lease_until)
            select 'r2', 'b', hash, file, trigger, 'k', inputs, subject, engine, 'working', clock(), clock() + '1 day' from runs`,
        ],
        ['that a person has to see first', `update runs set state = 'needs_approval'`],
      ])('%s are not', async (_, change) => {
        await fireOne('1')
        await open.rows(change)
        await looks(700, { watch: openWatch() })
        expect(await alerts()).toEqual([])
      })
    })
  })
})
