import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createLog } from '../../src/log.ts'
import { createLedger } from '../../src/ledger/ledger.ts'
import type { Run } from '../../src/ledger/schema.ts'
import { openStore } from '../../src/ledger/store.ts'
import { fleetMissing, openFleet } from '../support/fleet.ts'
import { git } from '../support/git-repository.ts'
import { need } from '../support/need.ts'
import { postgresNeed } from '../support/open-ledger.ts'
import { openPlace } from '../support/place.ts'
import { startPostgres } from '../support/postgres.ts'
import { untilSettled } from '../support/service-process.ts'

/** Says that it has begun, and ends its work once the gate is open. */
const gated = `const fs = require('fs'); const [gate, begun] = process.argv.slice(1); fs.appendFileSync(begun, 'x')
  setInterval(() => { if (fs.existsSync(gate)) { fs.writeFileSync('note.md', 'done'); process.exit() } }, 20)`

describe.skipIf(postgresNeed.skip)(`a service whose PostgreSQL goes away${postgresNeed.note}`, () => {
  test.each([
    { away: 'for a moment', leaseSeconds: '20', awayMs: 1000 },
    { away: 'for longer than a lease', leaseSeconds: '2', awayMs: 6000 },
  ])('$away: the run is published once, and nobody is told a falsehood', async ({ leaseSeconds, awayMs }) => {
    using place = await openPlace()
    await using postgres = await startPostgres()
    const { url: databaseUrl } = await postgres.createDatabase()
    const [gate, begun] = [join(place.folder, 'gate'), join(place.folder, 'begun')]
    place.routine('gated', { program: gated, args: [gate, begun] })
    place.routine('other')
    await using service = await place.start({
      env: { DATABASE_URL: databaseUrl, OVERNIGHT_LEASE_SECONDS: leaseSeconds },
    })
    const { run } = await service.post<{ run: string }>('/v1/routines/gated/fire')
    await expect.poll(() => existsSync(begun), { timeout: 20_000 }).toBe(true)

    await postgres.stop('immediate')
    writeFileSync(gate, '')
    const key = { 'content-type': 'application/json', 'idempotency-key': 'in-the-outage' }
    const fireOther = () => service.fetch('/v1/routines/other/fire', { method: 'POST', body: '{}', headers: key })
    const refused = await fireOther()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
    expect((await service.fetch('/health')).status).toBe(503)
    await delay(awayMs)
    await postgres.start()
    await expect.poll(async () => (await service.fetch('/health')).status, { timeout: 15_000 }).toBe(200)

    expect(await untilSettled(service, run)).toMatchObject({ state: 'published', reason: null })
    const asked = await fireOther()
    expect(asked.status).toBe(202)
    const other = (await asked.json()) as { run: string }
    expect(await untilSettled(service, other.run)).toMatchObject({ state: 'published' })
    expect(git(place.repository, 'branch', '--list', 'overnight/*').split('\n').length).toBe(2)
    expect((await service.get<{ pulls: unknown[] }>('/v1/pulls')).pulls.length).toBe(2)
    expect(await runIn(databaseUrl, run)).toMatchObject({ losses: 0, fence: 1 })
    expect(readFileSync(begun, 'utf8')).toBe('x')
    expect(service.log()).not.toContain('"level":60')
  })
})

const parts = need(fleetMissing)
describe.skipIf(parts.skip)(`a server and two workers whose PostgreSQL goes away${parts.note}`, () => {
  test('for three leases: the agent is started once, its run is lost by nobody and published once', async () => {
    await using fleet = await openFleet({ repositories: ['acme/one'], env: { OVERNIGHT_LEASE_SECONDS: '2' } })
    const [gate, begun] = [join(fleet.data, 'gate'), join(fleet.data, 'begun')]
    fleet.routine('gated', { repository: 'acme/one', program: gated, args: [gate, begun] })
    await fleet.worker()
    await fleet.worker()
    const { run } = await fleet.server.post<{ run: string }>('/v1/routines/gated/fire')
    await expect.poll(() => existsSync(begun), { timeout: 20_000 }).toBe(true)

    await fleet.postgres.stop('immediate')
    await delay(6000)
    await fleet.postgres.start()
    await expect.poll(async () => (await fleet.server.fetch('/health')).status, { timeout: 15_000 }).toBe(200)
    writeFileSync(gate, '')

    expect(await untilSettled(fleet.server, run)).toMatchObject({ state: 'published' })
    expect(await runIn(fleet.env['DATABASE_URL']!, run)).toMatchObject({ losses: 0, fence: 1 })
    expect(readFileSync(begun, 'utf8')).toBe('x')
    const opened = fleet.github.lines().filter((line) => line.kind === 'pull' && line.act === 'opened')
    expect(opened.length).toBe(1)
  }, 120_000)
})

async function runIn(databaseUrl: string, run: string): Promise<Run> {
  const store = await openStore({ databaseUrl, log: createLog('silent') })
  const found = await createLedger(store).runs.find(run)
  await store.close()
  return found!
}
