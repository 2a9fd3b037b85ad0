import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { git } from '../support/git-repository.ts'
import { openPlace } from '../support/place.ts'
import { processesWith } from '../support/processes.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

/** Lines of the log at `error` or above. */
const errors = (service: ServiceProcess) =>
  service
    .log()
    .split('\n')
    .filter((line) => /"level":(50|60)/.test(line))

/** How long the service took to end after SIGTERM, in seconds. */
async function stop(service: ServiceProcess): Promise<number> {
  const startedAt = performance.now()
  service.kill('SIGTERM')
  expect(await service.exit).toEqual({ code: 0, signal: null })
  return (performance.now() - startedAt) / 1000
}

test('SIGTERM in the middle of a run: it ends in time, and the run goes on at the next start, no loss counted', async () => {
  using place = await openPlace()
  const [gate, marker] = [join(place.folder, 'gate'), `stubborn-${process.pid}`]
  place.routine('stubborn', {
    args: [gate, marker],
    program: `const fs = require('fs'); process.on('SIGTERM', () => {}); console.log('at work')
      setInterval(() => { if (fs.existsSync(process.argv[1])) { fs.writeFileSync('note.md', 'done'); process.exit() } }, 20)`,
  })
  place.routine('waiting')
  let run = ''
  let waiting = ''
  {
    await using service = await place.start({ env: { OVERNIGHT_CONCURRENCY: '1' } })
    run = (await service.post<{ run: string }>('/v1/routines/stubborn/fire')).run
    await expect.poll(() => processesWith(marker).length, { timeout: 20_000 }).toBeGreaterThan(0)
    waiting = (await service.post<{ run: string }>('/v1/routines/waiting/fire')).run
    expect(await stop(service)).toBeLessThan(15)
    expect(errors(service)).toEqual([])
    expect(processesWith(marker)).toEqual([])
    expect(existsSync(join(place.data, 'service.json'))).toBe(false)
  }
  const attempts = await place.withLedger((ledger) => ledger.runs.attemptsOf(run))
  expect(attempts.map((attempt) => attempt.outcome)).toEqual(['released'])
  expect(await place.withLedger((ledger) => ledger.runs.find(run))).toMatchObject({
    losses: 0,
    endedAt: null,
    leaseOwner: null,
  })

  writeFileSync(gate, '')
  await using service = await place.start()
  expect(await untilSettled(service, run)).toMatchObject({ state: 'published' })
  expect(await untilSettled(service, waiting)).toMatchObject({ state: 'published' })
  expect(git(place.repository, 'branch', '--list', 'overnight/*').split('\n').length).toBe(2)
  expect(readdirSync(join(place.data, 'work'))).toEqual([])
})

test('SIGTERM ends an idle service soon, also with readers on its streams, and a second one changes nothing', async () => {
  using place = await openPlace()
  await using service = await place.start()
  const stream = await service.fetch('/live')
  expect(stream.status).toBe(200)
  service.kill('SIGTERM')
  expect(await stop(service)).toBeLessThan(5)
  await expect(stream.text()).rejects.toThrow()
  expect(errors(service)).toEqual([])
  expect((await place.overnight(['runs', '--json'])).code).toBe(0)
})
