import { sql } from '../../src/ledger/sql.ts'
import { createLog } from '../../src/log.ts'
import { openStore, type Store } from '../../src/ledger/store.ts'
import { describe, expect, test } from 'vitest'
import { movedClockMissing, openMovedClock } from '../support/moved-clock.ts'
import { need } from '../support/need.ts'
import { openPlace } from '../support/place.ts'
import { postgresMissing, startPostgres } from '../support/postgres.ts'
import { untilSettled } from '../support/service-process.ts'

const { skip, note } = need(postgresMissing ?? movedClockMissing)
const aheadNeed = need(movedClockMissing)
const minuteMs = 60_000

type Row = { at: number; outcome: string; reason: string | null; late: boolean }

// Not our own function `clock()` is moved here but the clock of the machine that the ledger is on.
describe.skipIf(skip)(`a machine that sleeps${note}`, () => {
  test('a laptop asleep for hours, and three days of downtime: each slot has one row, and those fire that the routine says', async () => {
    const evening = new Date('2026-03-02T20:05:30Z')
    await using clock = await openMovedClock(evening)
    await using postgres = await startPostgres({}, clock.under)
    const { url } = await postgres.createDatabase()
    using place = await openPlace()
    const every = { schedule: { every: '10 minutes', timezone: 'UTC' } }
    // Nothing is at work here: what is looked at is what became of each slot.
    const more = { on: every, overlap: 'queue_all' }
    place.routine('last', { more })
    place.routine('none', { more: { ...more, catch_up: { mode: 'none' } } })
    place.routine('all', { more: { ...more, catch_up: { mode: 'all', max: 20, max_age: '2d' } } })
    const start = () => place.start({ argv: ['server'], env: { DATABASE_URL: url } })
    const store = await openStore({ databaseUrl: url, log: createLog('error') })
    await using _close = { [Symbol.asyncDispose]: () => store.close() }

    {
      await using _server = await start()
      await expect.poll(() => schedulesOf(store), { timeout: 20_000 }).toBe(3)
      // In the middle of the night, between two slots: the lid is opened.
      await clock.setTo(new Date('2026-03-03T03:05:30Z'))
      await expect.poll(() => newest(store), { timeout: 20_000 }).toBe('2026-03-03T03:00:00.000Z')
      await expectRule(store, { from: evening, to: new Date('2026-03-03T03:05:30Z') })
    }
    // Off for three days: 432 slots a routine.
    await clock.setTo(new Date('2026-03-06T03:05:30Z'))
    await using _again = await start()
    await expect.poll(() => newest(store), { timeout: 20_000 }).toBe('2026-03-06T03:00:00.000Z')
    await expectRule(store, { from: new Date('2026-03-03T03:05:30Z'), to: new Date('2026-03-06T03:05:30Z') })
  }, 120_000)
})

type SlotJson = { at: string; outcome: string; late: boolean; run: string | null }

// Here it is the clock of the service itself, which its ledger is in, and its timers.
describe.skipIf(aheadNeed.skip)(`a machine whose clock runs ahead and is set right${aheadNeed.note}`, () => {
  test('by a year: the ticks go on at once, and the slot that is due then fires on time', async () => {
    await using clock = await openMovedClock(new Date('2026-03-02T10:30:30Z'))
    using place = await openPlace()
    place.routine('hourly', { more: { on: { schedule: { cron: '0 * * * *', timezone: 'UTC' } } } })
    await using service = await place.start({ env: clock.env })
    const slotAt = async (at: string) =>
      (await service.get<{ slots: SlotJson[] }>('/v1/slots?limit=50')).slots.find((slot) => slot.at === at)
    const outcomeOf = async (at: string) => (await slotAt(at))?.outcome
    await clock.setTo(new Date('2027-03-02T10:30:30Z'))
    await expect.poll(() => outcomeOf('2027-03-02T10:00:00.000Z'), { timeout: 20_000 }).toBe('fired')
    const first = (await slotAt('2027-03-02T10:00:00.000Z'))!.run!
    await clock.setTo(new Date('2026-03-02T10:50:00Z'))
    await expect.poll(() => outcomeOf('2027-03-02T09:00:00.000Z'), { timeout: 5000 }).toBeUndefined()
    expect(await untilSettled(service, first)).toMatchObject({ state: 'published' })
    await clock.setTo(new Date('2026-03-02T10:59:57Z'))
    const due = '2026-03-02T11:00:00.000Z'
    await expect.poll(() => outcomeOf(due), { timeout: 20_000 }).toBe('fired')
    const slot = await slotAt(due)
    expect(slot).toMatchObject({ late: false, run: expect.any(String) as string })
    expect(service.log()).toContain('ran ahead')
    expect(await untilSettled(service, slot!.run!)).toMatchObject({ state: 'unchanged' })
  }, 60_000)
})

const schedulesOf = async (store: Store) =>
  Number(await one(store, 'select count(*)::text as value from schedules').catch(() => 0))

/** The newest instant of which every routine's slot is settled. */
const newest = async (store: Store) => {
  const text = `select max(at)::text as value from slots s
    where (select count(*) from slots where at = s.at and outcome is not null) = 3 and not exists (select from slots where outcome is null)`
  const value = await one(store, text)
  return value === null ? null : new Date(value).toISOString()
}

async function one(store: Store, text: string): Promise<string | null> {
  return (await store.db.execute<{ value: string | null }>(sql.raw(text))).rows[0]?.value ?? null
}

async function slotsOf(store: Store, routine: string, { from, to }: { from: Date; to: Date }): Promise<Row[]> {
  const { rows } = await store.db.execute<Omit<Row, 'at'> & { at: Date | string }>(
    sql`select at, outcome, reason, late from slots
      where routine = ${routine} and at between ${from.toISOString()} and ${to.toISOString()} order by at`,
  )
  return rows.map((row) => ({ ...row, at: new Date(row.at).getTime() }))
}

/** Worked out here by hand: every tenth minute once; of them by `last` the newest, by `none` none, by `all` the newest twenty. */
async function expectRule(store: Store, span: { from: Date; to: Date }): Promise<void> {
  const first = Math.ceil(span.from.getTime() / (10 * minuteMs)) * 10 * minuteMs
  const count = Math.floor((span.to.getTime() - first) / (10 * minuteMs)) + 1
  const due = Array.from({ length: count }, (_, index) => first + index * 10 * minuteMs)
  const fired = { last: 1, none: 0, all: 20 }
  for (const [routine, many] of Object.entries(fired)) {
    const rows = await slotsOf(store, routine, span)
    expect(rows.map(({ at }) => at)).toEqual(due)
    const started = rows.filter(({ outcome }) => outcome === 'fired')
    expect(started.map(({ at, late }) => ({ at, late }))).toEqual(
      due.slice(count - many).map((at) => ({ at, late: true })),
    )
    expect(rows.filter(({ outcome, reason }) => outcome === 'missed' && reason !== null).length).toBe(count - many)
  }
}
