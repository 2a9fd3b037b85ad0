import { expect, test } from 'vitest'
import { reasons } from '../../src/errors.ts'
import { openPlace, type Place } from '../support/place.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

type Run = { run: string; routine: string; trigger: string; state: string }
const runsOf = async (service: ServiceProcess) => (await service.get<{ runs: Run[] }>('/v1/runs')).runs
const nextOf = async (service: ServiceProcess) =>
  (await service.get<{ routines: { next: string | null }[] }>('/v1/routines')).routines.map((routine) => routine.next)

/** While no service is up: the ledger's clock goes on from this instant. */
async function setClock(place: Place, at: string): Promise<void> {
  await place.withLedger((_, store) =>
    store.pool.query('update clock_offset set ahead = $1::timestamptz - clock_timestamp()', [at]),
  )
}
const slotsOf = (place: Place) =>
  place.withLedger(async (_, store) => {
    const { rows } = await store.pool.query<{ at: Date; outcome: string; reason: string | null }>(
      'select * from slots order by at',
    )
    return rows.map((slot) => [slot.at.toISOString().slice(5, 16), slot.outcome, slot.reason].join(' ').trim())
  })

// A clock that is set back: test/ledger/scheduler.test.ts.
test('a night, and three days of downtime: each slot is told once', async () => {
  using place = await openPlace()
  place.routine('nightly', { more: { on: { schedule: { cron: '0 3 * * *', timezone: 'UTC' } } } })

  await setClock(place, '2026-03-02T02:59:50Z')
  {
    // In force before it is due; then it comes due in the running scheduler.
    await using service = await place.start()
    await expect.poll(async () => (await runsOf(service)).length, { timeout: 30_000, interval: 200 }).toBe(1)
    const [run] = await runsOf(service)
    expect(run).toMatchObject({ routine: 'nightly', trigger: 'schedule' })
    expect(await untilSettled(service, run!.run)).toMatchObject({ state: 'published' })
    expect(await nextOf(service)).toEqual(['2026-03-03T03:00:00.000Z'])
  }
  expect(await slotsOf(place)).toEqual(['03-02T03:00 fired'])

  await setClock(place, '2026-03-05T13:00:00Z')
  {
    await using service = await place.start()
    // The front page tells of the slot that was missed today.
    const page = async () => (await service.fetch('/')).text()
    await expect.poll(page, { timeout: 20_000, interval: 200 }).toMatch(new RegExp(reasons.max_age, 'i'))
    expect(await nextOf(service)).toEqual(['2026-03-06T03:00:00.000Z'])
    expect((await runsOf(service)).length).toBe(1)
  }
  const told = [
    '03-02T03:00 fired',
    '03-03T03:00 missed max_age',
    '03-04T03:00 missed max_age',
    '03-05T03:00 missed max_age',
  ]
  expect(await slotsOf(place)).toEqual(told)
})
