import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createLog } from '../../src/log.ts'
import { createLedger } from '../../src/ledger/ledger.ts'
import { openStore } from '../../src/ledger/store.ts'
import { git } from '../support/git-repository.ts'
import { postgresNeed } from '../support/open-ledger.ts'
import { openPlace } from '../support/place.ts'
import { startPostgres } from '../support/postgres.ts'
import { untilSettled } from '../support/service-process.ts'

/** Says that it has begun, and ends its work once the gate is open. */
const gated = `const fs = require('fs'); const [gate, begun] = process.argv.slice(1); fs.appendFileSync(begun, 'x')
  setInterval(() => { if (fs.existsSync(gate)) { fs.writeFileSync('note.md', 'done'); process.exit() } }, 20)`

describe.skipIf(postgresNeed.skip)(`a service whose PostgreSQL goes away${postgresNeed.note}`, () => {
  test.each([
    { away: 'for a moment', leaseSeconds: '20', awayMs: 1000, lost: 0 },
    { away: 'for longer than a lease', leaseSeconds: '2', awayMs: 5000, lost: 1 },
  ])('$away: the run is published once, and nobody is told a falsehood', async ({ leaseSeconds, awayMs, lost }) => {
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
    const store = await openStore({ databaseUrl, log: createLog('silent') })
    const found = await createLedger(store).runs.find(run)
    await store.close()
    expect(found!.losses).toBeLessThanOrEqual(lost)
    expect(service.log()).not.toContain('"level":60')
  })
})
