import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLog } from '../../src/log.ts'
import type { Slot } from '../../src/ledger/schema.ts'
import { messageOf } from '../../src/errors.ts'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import type { Problem, Routine } from '../../src/routines/routine.ts'
import { applyRoutines } from '../../src/triggers/apply-routines.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { acceptDue } from '../../src/triggers/schedule/accept-slots.ts'
import { createScheduler } from '../../src/triggers/schedule/scheduler.ts'
import { settleOwed } from '../../src/triggers/schedule/settle-slots.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'
import { tickAll } from '../support/tick-all.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('the ledger', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const read = { defaultEngine: 'command', checkSchedule }
    const routineOf = (version: { file: string; source: string }): Routine =>
      parseOrRefuse(version.file, version.source, read)

    type Options = {
      crons?: readonly string[]
      schedules?: readonly object[]
      zone?: string
      inputs?: object
      catchUp?: object
      note?: string
    }
    function routine(
      name: string,
      { crons = ['*/5 * * * *'], schedules, zone = 'UTC', inputs = {}, catchUp, note = '' }: Options = {},
    ): Routine {
      const schedule = schedules ?? crons.map((cron) => ({ cron, timezone: zone }))
      const keys = {
        repository: './shop',
        engine: { name: 'command', command: ['true'] },
        on: schedule.length > 0 ? { schedule } : 'manual',
        inputs,
        ...(catchUp ? { catch_up: catchUp } : {}),
      }
      const lines = Object.entries(keys).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
      return routineOf({ file: `/routines/${name}.md`, source: `---\n${lines.join('')}---\n${note}\n` })
    }
    const apply = (routines: Routine[], broken = new Map<string, Problem[]>()) =>
      applyRoutines(open.ledger, { routines, broken })
    const ticks = () => tickAll({ ledger: open.ledger, routineOf })

    /** Every slot's row, oldest first: `05 fired`. */
    async function slots(): Promise<string[]> {
      const rows = await open.rows<Slot & { at: string | Date }>('select * from slots order by at, routine')
      return rows.map(
        ({ at, outcome, late }) => `${new Date(at).toISOString().slice(11, 16)} ${outcome}${late ? ' late' : ''}`,
      )
    }
    const count = async (table: 'slots' | 'firings' | 'runs', where = 'true') =>
      (await open.rows<{ n: number }>(`select count(*)::int as n from ${table} where ${where}`))[0]!.n
    const nextOf = async (name: string) =>
      (await open.ledger.routines.schedulesOf(name)).map((row) => row.nextFireAt?.toISOString().slice(11, 19) ?? null)

    describe('a slot that is due', () => {
      test('fires once, on its instant, whoever and how many ask at once', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a'), routine('b')])
        await ticks()
        expect(await slots()).toEqual([])
        await open.setClock('2026-03-02T10:05:00.100Z')
        await Promise.all(Array.from({ length: 5 }, ticks))
        expect(await slots()).toEqual(['10:05 fired', '10:05 fired'])
        expect([await count('firings'), await count('runs')]).toEqual([2, 2])
        expect(await nextOf('a')).toEqual(['10:10:00'])
        const [run] = await open.ledger.runs.list({ routine: 'a' })
        expect(run).toMatchObject({ trigger: 'schedule', slotAt: new Date('2026-03-02T10:05:00Z'), state: 'queued' })
      })

      test('of two schedules that meet on one instant is one slot', async () => {
        await open.setClock('2026-03-02T09:59:00Z')
        await apply([routine('a', { crons: ['*/5 * * * *', '0 10 * * *'] })])
        await open.setClock('2026-03-02T10:00:01Z')
        await ticks()
        expect(await slots()).toEqual(['10:00 fired'])
        expect(await count('runs')).toBe(1)
      })

      test('is a row before anything starts, and owed until it is settled', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a')])
        await open.setClock('2026-03-02T10:05:01Z')
        expect(await acceptDue(open.ledger)).toMatchObject({ due: 1, moved: 1 })
        expect(await slots()).toEqual(['10:05 null'])
        expect([await count('firings'), await nextOf('a')]).toEqual([0, ['10:10:00']])
        expect(await acceptDue(open.ledger)).toMatchObject({ due: 0, moved: 0 })
        // Nothing is due now: whoever looks next settles what is owed.
        await ticks()
        expect(await slots()).toEqual(['10:05 fired'])
      })

      test('stays owed and says why when the ledger takes no run of it; the others have theirs, and later it has its own', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply(['a', 'b', 'c'].map((name) => routine(name)))
        await open.setClock('2026-03-02T10:05:01Z')
        await open.rows(`alter table firings add constraint odd check (routine <> 'b')`)
        const said: string[] = []
        const troubled = () =>
          settleOwed({
            ledger: open.ledger,
            routineOf,
            onSettled: () => {},
            onTrouble: ({ routine, at }, error) => said.push(`${routine} ${at.toISOString()}: ${messageOf(error)}`),
          })
        try {
          await acceptDue(open.ledger)
          await troubled()
          await troubled()
          expect(await slots()).toEqual(['10:05 fired', '10:05 null', '10:05 fired'])
          expect(said).toEqual([expect.stringContaining('b 2026-03-02T10:05:00.000Z: new row for relation "firings"')])
          expect(await open.rows('select * from slots where outcome is null')).toMatchObject([
            { routine: 'b', reason: expect.stringContaining('odd') as string },
          ])
          await open.setClock('2026-03-02T10:06:02Z')
          expect(await open.ledger.slots.idleSince(new Date(0), 10)).toMatchObject([{ routine: 'b', outcome: null }])
        } finally {
          await open.rows('alter table firings drop constraint odd')
        }
        await ticks()
        expect(await slots()).toEqual(['10:05 fired', '10:05 fired', '10:05 fired'])
        expect(await count('slots', 'reason is not null')).toBe(0)
      })

      test('is skipped when its routine is gone by then', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a')])
        await open.setClock('2026-03-02T10:05:01Z')
        await acceptDue(open.ledger)
        await apply([])
        await ticks()
        expect(await count('slots', `outcome = 'skipped' and reason = 'removed'`)).toBe(1)
      })

      test('while a run waits joins it, and says so; each slot keeps its row', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a')])
        for (const minute of ['05', '10', '15']) {
          await open.setClock(`2026-03-02T10:${minute}:01Z`)
          await ticks()
        }
        expect(await slots()).toEqual(['10:05 fired', '10:10 coalesced', '10:15 coalesced'])
        expect([await count('runs'), await count('firings')]).toEqual([1, 3])
      })

      test('while a run works waits as one; further ones join that one', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a')])
        await open.setClock('2026-03-02T10:05:01Z')
        await ticks()
        const [working] = await open.ledger.runs.list()
        await open.ledger.transaction(async (tx) => {
          const [handed] = await tx.owed.markDispatched([working!.id])
          await tx.owed.claim({ runId: working!.id, attempt: handed!.attempt }, 'worker', 3_600_000)
        })
        await open.ledger.hold({ id: working!.id, fence: 1 }, { leaseMs: 3_600_000 }).advance('working')
        for (const minute of ['10', '15', '20']) {
          await open.setClock(`2026-03-02T10:${minute}:01Z`)
          await ticks()
        }
        expect(await slots()).toEqual(['10:05 fired', '10:10 fired', '10:15 coalesced', '10:20 coalesced'])
        const runs = await open.ledger.runs.list()
        expect(runs.map((run) => run.state)).toEqual(['queued', 'working'])
      })
    })

    describe('after downtime', () => {
      test('the newest slot fires late, the others are missed with the reason', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a')])
        await open.setClock('2026-03-02T10:23:00Z')
        await ticks()
        expect(await slots()).toEqual(['10:05 missed', '10:10 missed', '10:15 missed', '10:20 fired late'])
        expect(await count('slots', `reason = 'catch_up'`)).toBe(3)
        await ticks()
        expect(await count('runs')).toBe(1)
      })

      test('a routine that catches up with all has them one after the other, at most as many as it says', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a', { catchUp: { mode: 'all', max: 3 } }), routine('b', { catchUp: { mode: 'none' } })])
        await open.setClock('2026-03-02T10:27:00Z')
        await ticks()
        const of = (name: string) => `routine = '${name}' and outcome`
        expect(await count('slots', `${of('a')} = 'missed' and reason = 'catch_up_max'`)).toBe(2)
        expect(await count('slots', `${of('a')} in ('fired', 'coalesced') and late`)).toBe(3)
        const firings = await open.rows<{ key: string }>('select trigger_key as key from firings order by created_at')
        expect(firings.map(({ key }) => key.slice(-13, -8))).toEqual(['10:15', '10:20', '10:25'])
        expect(await count('slots', `${of('b')} = 'missed' and reason = 'no_catch_up'`)).toBe(5)
      })

      test('a newest slot older than max_age is missed too', async () => {
        await open.setClock('2026-03-02T01:00:00Z')
        await apply([routine('nightly', { crons: ['0 2 * * *'], catchUp: { mode: 'last', max_age: '1h' } })])
        await open.setClock('2026-03-02T03:00:01Z')
        await ticks()
        expect(await slots()).toEqual(['02:00 missed'])
        expect(await count('slots', `reason = 'max_age'`)).toBe(1)
        expect(await count('runs')).toBe(0)
      })

      test('of three days every one of 864 slots has its row, and one run starts', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a')])
        await open.setClock('2026-03-05T10:02:00Z')
        await ticks()
        expect([await count('slots'), await count('runs')]).toEqual([864, 1])
        expect(await count('slots', `outcome = 'fired' and late`)).toBe(1)
        // Default max_age is 6 h: 72 slots are young enough, the newest of them fires.
        expect(await count('slots', `reason = 'max_age'`)).toBe(864 - 72)
        expect(await nextOf('a')).toEqual(['10:05:00'])
      })

      test('a crowd larger than one transaction takes is due at once', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply(Array.from({ length: 120 }, (_, index) => routine(`crowd-${index}`)))
        await open.setClock('2026-03-02T10:05:01Z')
        await ticks()
        expect([await count('slots', `outcome = 'fired'`), await count('runs')]).toEqual([120, 120])
      })
    })

    describe('a single time', () => {
      const at = (time: string, note = '') =>
        routine('once', { schedules: [{ at: time, timezone: 'Europe/Berlin' }], note })

      test('fires then and never again, whatever else of the file changes', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([at('2026-03-02T11:05')])
        await ticks()
        expect(await slots()).toEqual([])
        await open.setClock('2026-03-02T10:05:01Z')
        await ticks()
        expect([await slots(), await nextOf('once')]).toEqual([['10:05 fired'], [null]])
        await apply([at('2026-03-02T11:05', 'another prompt')])
        await ticks()
        expect([await slots(), await count('runs'), await nextOf('once')]).toEqual([['10:05 fired'], 1, [null]])
      })

      test('that has passed when it is first seen fires late within max_age, else it is on record as missed', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([at('2026-03-02T09:00')])
        await ticks()
        expect(await slots()).toEqual(['08:00 fired late'])
        await apply([at('2026-02-02T09:00+01:00')])
        await ticks()
        expect(await count('slots', `outcome = 'missed' and reason = 'max_age'`)).toBe(1)
        expect(await count('runs')).toBe(1)
      })
    })

    describe('a clock that jumps', () => {
      test('back one hour fires nothing twice, and goes on when the time is there again', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a')])
        await open.setClock('2026-03-02T10:05:01Z')
        await ticks()
        await open.setClock('2026-03-02T09:05:01Z')
        await ticks()
        await open.setClock('2026-03-02T10:05:01Z')
        await ticks()
        // The hour that came again is on record.
        expect(await slots()).toEqual([
          ...['09:10', '09:15', '09:20', '09:25', '09:30', '09:35'].map((at) => `${at} missed`),
          ...['09:40', '09:45', '09:50', '09:55', '10:00'].map((at) => `${at} missed`),
          '10:05 fired',
        ])
        await open.setClock('2026-03-02T10:10:01Z')
        await ticks()
        expect((await slots()).slice(-2)).toEqual(['10:05 fired', '10:10 coalesced'])
        expect(await count('runs')).toBe(1)
      })

      test('back, and the file is edited meanwhile: a slot that has fired never fires again', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a', { inputs: { scope: { type: 'string', default: 'all' } } })])
        await open.setClock('2026-03-02T10:17:00Z')
        await ticks()
        const before = await slots()
        expect(before).toEqual(['10:05 missed', '10:10 missed', '10:15 fired late'])
        await open.setClock('2026-03-02T10:02:00Z')
        await ticks()
        // Another cron with the same instants, and other inputs.
        await apply([
          routine('a', { crons: ['0-59/5 * * * *'], inputs: { scope: { type: 'string', default: 'docs' } } }),
        ])
        for (const minute of ['05', '10', '15']) {
          await open.setClock(`2026-03-02T10:${minute}:01Z`)
          await ticks()
        }
        // What was missed by the wrong clock alone is due by the right one.
        expect(await slots()).toEqual(['10:05 fired', '10:10 coalesced', '10:15 fired late'])
        expect(await count('runs')).toBe(2)
        await open.setClock('2026-03-02T10:20:01Z')
        await ticks()
        expect((await slots()).at(-1)).toBe('10:20 coalesced')
      })

      describe('ahead for a while', () => {
        const hourly = (options = {}) => routine('a', { crons: ['0 * * * *'], ...options })
        const rightNow = '2026-03-02T10:02:00Z'
        /** Two hours by the right clock. */
        async function live(look: () => Promise<void>): Promise<void> {
          for (const time of ['10:02:00', '10:30:01', '11:00:01', '11:30:01', '12:00:01']) {
            await open.setClock(`2026-03-02T${time}Z`)
            await look()
          }
        }

        test.each([
          ['a day', '2026-03-03T10:02:00Z', '0 * * * *'],
          ['a year, with more slots than have rows of their own', '2027-03-02T10:02:00Z', '0,30 * * * *'],
        ])('by %s: what is due by the right clock fires, on its instant, once', async (_, ahead, cron) => {
          await open.setClock(rightNow)
          await apply([hourly({ crons: [cron] })])
          await open.setClock(ahead)
          await ticks()
          expect(await count('runs')).toBe(1)
          await open.rows(`update runs set ended_at = clock(), state = 'unchanged'`)
          // Its newest slot fired; the row of that stays.
          const kept = await count('slots', 'firing is not null')
          expect(kept).toBe(1)
          await live(async () => {
            await ticks()
            await open.rows(`update runs set ended_at = clock(), state = 'unchanged' where ended_at is null`)
          })
          const want = cron.includes('30') ? ['10:30', '11:00', '11:30', '12:00'] : ['11:00', '12:00']
          expect((await slots()).slice(0, -1)).toEqual(want.map((at) => `${at} fired`))
          expect(await count('runs')).toBe(want.length + 1)
          expect(await count('slots', 'recorded_at > clock()')).toBe(0)
        })

        test('and right again while the same schedulers go on: the first that looks sees to it', async () => {
          await open.setClock(rightNow)
          await apply([hourly()])
          const log = createLog('silent')
          const one = () => createScheduler({ ledger: open.ledger, routineOf, wake: () => {}, log })
          await using first = one()
          await using second = one()
          const look = async () => {
            await Promise.all([first.tick(), second.tick()])
            await Promise.all([first.settle(), second.settle()])
          }
          await look()
          await open.setClock('2026-03-05T10:02:00Z')
          await look()
          expect(await count('slots')).toBe(72)
          await open.setClock(rightNow)
          await look()
          expect([await slots(), await nextOf('a')]).toEqual([['10:00 fired late'], ['11:00:00']])
          // The run of then waits for no time to come.
          expect(await count('runs', 'not_before <= clock() and created_at <= clock()')).toBe(1)
          await open.setClock('2026-03-02T11:00:01Z')
          await look()
          expect(await slots()).toEqual(['11:00 coalesced', '10:00 fired late'])
        })

        test('when a routine was first seen: it does not wait until then', async () => {
          await open.setClock('2027-03-02T10:02:00Z')
          await apply([hourly()])
          await open.setClock(rightNow)
          await ticks()
          const [schedule] = await open.ledger.routines.schedulesOf('a')
          expect(schedule?.nextFireAt).toEqual(new Date('2026-03-02T11:00:00Z'))
        })

        test('so that a single time seemed to be over: it fires when it comes', async () => {
          await open.setClock(rightNow)
          await apply([routine('a', { schedules: [{ at: '2026-03-02T11:00', timezone: 'UTC' }] })])
          await open.setClock('2026-03-05T10:02:00Z')
          await ticks()
          expect([await slots(), await nextOf('a')]).toEqual([['11:00 missed'], [null]])
          await open.setClock(rightNow)
          await ticks()
          await open.setClock('2026-03-02T11:00:01Z')
          await ticks()
          expect(await slots()).toEqual(['11:00 fired'])
        })

        test('and a slot is owed from then: it is taken back, or fires once', async () => {
          await open.setClock(rightNow)
          await apply([hourly()])
          await open.setClock('2026-03-02T12:00:01Z')
          await acceptDue(open.ledger)
          expect(await slots()).toEqual(['11:00 missed', '12:00 null'])
          await open.setClock(rightNow)
          await ticks()
          expect(await slots()).toEqual([])
          await live(ticks)
          expect(await slots()).toEqual(['11:00 fired', '12:00 coalesced'])
        })

        test('and what is taken once in a while is taken again', async () => {
          const take = () => open.ledger.settings.take('retention', { everyMs: 60_000, by: 'test' })
          await open.setClock('2027-03-02T10:02:00Z')
          expect(await take()).toEqual({})
          await open.setClock(rightNow)
          expect(await take()).toEqual({})
          expect(await take()).toBeUndefined()
        })
      })

      test('forward one year is downtime: the newest fires, the rest is told without endless work', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a', { crons: ['* * * * *'] })])
        await open.setClock('2027-03-02T10:02:30Z')
        const startedAt = performance.now()
        await ticks()
        expect(performance.now() - startedAt).toBeLessThan(15_000)
        expect(await count('runs')).toBe(1)
        expect(await count('slots', `reason = 'unlisted'`)).toBe(1)
        expect(await count('slots')).toBeLessThan(10_100)
        expect(await nextOf('a')).toEqual(['10:03:00'])
      })
    })

    describe('a file that changes', () => {
      test('moves the next instant when its cron does, and keeps what is owed when it does not', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a')])
        expect(await nextOf('a')).toEqual(['10:05:00'])
        await open.setClock('2026-03-02T10:06:00Z')
        await apply([routine('a', { note: 'another prompt' })])
        expect(await nextOf('a')).toEqual(['10:05:00'])
        await apply([routine('a', { crons: ['0 12 * * *'] })])
        expect(await nextOf('a')).toEqual(['12:00:00'])
        await apply([routine('a', { crons: ['0 12 * * *'], zone: 'Europe/Berlin' })])
        expect(await nextOf('a')).toEqual(['11:00:00'])
        await apply([routine('a', { crons: [] })])
        expect(await nextOf('a')).toEqual([])
      })

      describe('after a slot that nobody looked for', () => {
        beforeEach(async () => {
          await open.setClock('2026-03-02T01:00:00Z')
          await apply([routine('a', { crons: ['0 2 * * *', '30 2 * * *'] })])
          await open.setClock('2026-03-02T04:00:00Z')
        })

        test.each([
          ['another cron', { crons: ['30 2 * * *', '0 3 * * *'] }, ['02:00 missed', '02:30 fired late']],
          ['another zone', { crons: ['0 2 * * *'], zone: 'Asia/Tokyo' }, ['02:00 missed', '02:30 fired late']],
          ['no schedule', { crons: [] }, ['02:00 missed', '02:30 fired late']],
          ['another rule, too', { catchUp: { mode: 'none' } }, ['02:00 missed', '02:30 missed']],
        ])('has %s: what was due has its rows', async (_, options, rows) => {
          await apply([routine('a', options)])
          await ticks()
          expect(await slots()).toEqual(rows)
        })

        test('has another name: what was due has its rows, the newest skipped because it is gone', async () => {
          await apply([routine('b', { crons: ['0 2 * * *'] })])
          await ticks()
          expect(await slots()).toEqual(['02:00 missed', '02:30 skipped late'])
          expect(await count('slots', `routine = 'a' and reason = 'removed'`)).toBe(1)
          expect(await nextOf('b')).toEqual(['02:00:00'])
        })

        test('many that apply and look at once: each slot once, one run', async () => {
          const changed = [routine('a', { crons: ['0 3 * * *'] })]
          await Promise.all([ticks(), apply(changed), ticks(), apply(changed), ticks()])
          await ticks()
          expect(await slots()).toEqual(['02:00 missed', '02:30 fired late'])
          expect(await count('runs')).toBe(1)
        })
      })

      test('is removed: it is due no more, and comes back without what it missed', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a'), routine('b')])
        await apply([routine('b')])
        await open.setClock('2026-03-02T10:05:01Z')
        await ticks()
        expect(await count('slots', `routine = 'a'`)).toBe(0)
        expect(await open.ledger.routines.find('a')).toBeUndefined()
        await open.setClock('2026-03-02T10:31:00Z')
        await apply([routine('a'), routine('b')])
        await ticks()
        expect(await count('slots', `routine = 'a'`)).toBe(0)
        expect(await nextOf('a')).toEqual(['10:35:00'])
      })

      test('is broken: the version in force goes on firing', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a')])
        const problem = { file: '/routines/a.md', line: 2, column: 1, message: 'is wrong' }
        await apply([routine('a')], new Map([['a', [problem]]]))
        expect(await open.ledger.routines.find('a')).toMatchObject({
          error: expect.stringContaining('is wrong') as string,
        })
        await open.setClock('2026-03-02T10:05:01Z')
        await ticks()
        expect(await slots()).toEqual(['10:05 fired'])
      })

      test('applied again as it is changes nothing', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a')])
        const before = await open.rows('select * from routines, schedules, routine_versions')
        await open.setClock('2026-03-02T11:02:00Z')
        await apply([routine('a')])
        expect(await open.rows('select * from routines, schedules, routine_versions')).toEqual(before)
      })
    })

    describe('a schedule that this version does not understand', () => {
      test.each([
        ['cron', '0 0 L * *'],
        ['timezone', 'Mars/Olympus'],
      ])('%s %s: its slot says so, the others are due all the same', async (column, odd) => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a'), routine('b')])
        await open.rows(`update schedules set ${column} = '${odd}' where routine = 'a'`)
        await open.setClock('2026-03-02T10:05:01Z')
        await ticks()
        expect(await slots()).toEqual(['10:05 skipped', '10:05 fired'])
        expect(await count('slots', `routine = 'a' and reason like '%${odd}%'`)).toBe(1)
        expect(await nextOf('a')).toEqual([null])
      })
    })

    describe('a text that this version cannot read any more', () => {
      test('stops nobody else, is shown, and fires again once the file is repaired', async () => {
        await open.setClock('2026-03-02T10:02:00Z')
        await apply([routine('a'), routine('b')])
        await open.rows(`update routine_versions set source = '---\nodd: 1\n---' where routine = 'a'`)
        await open.setClock('2026-03-02T10:05:01Z')
        await ticks()
        expect(await count('slots', `routine = 'b' and outcome = 'fired'`)).toBe(1)
        expect(await open.ledger.routines.find('a')).toMatchObject({ error: expect.stringContaining('odd') as string })
        expect(await count('slots', `routine = 'a' and outcome = 'skipped' and reason like '%odd%'`)).toBe(1)
        await apply([routine('a', { note: 'repaired' }), routine('b')])
        await open.setClock('2026-03-02T10:10:01Z')
        await ticks()
        expect(await count('runs', `routine = 'a'`)).toBe(1)
        expect(await open.ledger.routines.find('a')).toMatchObject({ error: null })
      })
    })
  })
})
