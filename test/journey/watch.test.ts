import { randomBytes } from 'node:crypto'
import { sql } from '../../src/ledger/sql.ts'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLog } from '../../src/log.ts'
import { openStore, type Store } from '../../src/ledger/store.ts'
import { need } from '../support/need.ts'
import { openPlace, type Place } from '../support/place.ts'
import { postgresMissing, startPostgres } from '../support/postgres.ts'
import { openReceiver, type Receiver } from '../support/receiver.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

const { skip, note } = need(postgresMissing)
const secret = `whsec_${randomBytes(32).toString('base64')}`

type News = { type: string; data: { kind: string; routine: string | null; message: string } }
/** What comes to OVERNIGHT_ALERT_URL, in turn and with its signature, until it is what a test waits for. */
function listenTo(receiver: Receiver) {
  let count = 0
  return async (type: string, kind: string): Promise<News> => {
    for (;;) {
      const { body, headers } = await receiver.post('/alerts', ++count)
      const news = new Webhook(secret).verify(body, headers as Record<string, string>) as News
      if (news.type === type && news.data.kind === kind) return news
    }
  }
}

describe.skipIf(skip)(`a server and a worker on PostgreSQL${note}`, () => {
  const building = new AsyncDisposableStack()
  let place: Place
  let server: ServiceProcess
  let store: Store
  let hear: ReturnType<typeof listenTo>
  let env: Record<string, string>
  beforeAll(async () => {
    place = await openPlace()
    building.defer(() => place[Symbol.dispose]())
    place.routine('note', { more: { on: { schedule: { cron: '* * * * *', timezone: 'UTC' } } } })
    const postgres = building.use(await startPostgres())
    const { url } = await postgres.createDatabase()
    const receiver = building.use(await openReceiver())
    hear = listenTo(receiver)
    env = {
      DATABASE_URL: url,
      OVERNIGHT_WEBHOOK_SECRET: secret,
      OVERNIGHT_ALERT_URL: receiver.url('/alerts'),
      OVERNIGHT_ALLOW_HOSTS: receiver.host,
      OVERNIGHT_ALERT_SECONDS: '2',
      OVERNIGHT_ALERT_MINUTES: '0.05',
    }
    server = building.use(await place.start({ env, argv: ['server'] }))
    store = await openStore({ databaseUrl: url, log: createLog('silent') })
    building.defer(() => store.close())
  })
  afterAll(() => building.disposeAsync())

  const health = async (): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(new URL('/health', server.url))
    return { status: answer.status, body: await answer.json() }
  }

  test('a run that nobody starts is told of by message, page, health, and command; a worker makes it good', async () => {
    const { run } = await server.post<{ run: string }>('/v1/routines/note/fire')
    const { data } = await hear('alert.raised', 'run_not_started')
    expect(data.message).toMatch(/could have started at .* and no worker takes/)
    expect(await health()).toEqual({ status: 503, body: { state: 'degraded' } })
    const known = await server.fetch('/health')
    expect([known.status, await known.json()]).toEqual([503, { state: 'degraded', alerts: [data.message] }])
    const listed = await place.overnight(['alerts', '--json'], { env })
    expect(JSON.parse(listed.stdout)).toMatchObject([{ kind: 'run_not_started', clearedAt: null }])
    const doctor = await place.overnight(['doctor', '--json'], { env })
    expect(JSON.parse(doctor.stdout)).toContainEqual(expect.objectContaining({ what: 'alerts', ok: false }))

    const worker = place.spawn(['worker'], { env })
    building.defer(async () => {
      worker.kill('SIGTERM')
      await worker.ended
    })
    expect((await untilSettled(server, run)).state).toBe('published')
    await hear('alert.cleared', 'run_not_started')
    await expect.poll(async () => (await health()).status, { timeout: 10_000 }).toBe(200)
  })

  test('a server that stands still is told of by the worker, and what it makes good is cleared', async () => {
    // Six seconds before a slot; no other is jumped over.
    const soon = sql`make_interval(secs => mod(114 - extract(second from clock_timestamp())::numeric, 60)::double precision)`
    await store.db.execute(sql`update clock_offset set ahead = ${soon}`)
    server.kill('SIGSTOP')
    try {
      const { data } = await hear('alert.raised', 'slot_unrecorded')
      expect(data).toMatchObject({ routine: 'note' })
      expect(data.message).toMatch(/^the slot of note at .* has no row: no scheduler has taken it up$/)
    } finally {
      server.kill('SIGCONT')
    }
    await hear('alert.cleared', 'slot_unrecorded')
    await expect.poll(async () => (await health()).status, { timeout: 10_000 }).toBe(200)
    const { alerts } = await server.get<{ alerts: { clearedAt: string | null }[] }>('/v1/alerts?all=yes')
    expect(alerts.length).toBeGreaterThanOrEqual(2)
  })
})
