import { readdir, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fleetMissing, openFleet, type Fleet } from '../support/fleet.ts'
import { git } from '../support/git-repository.ts'
import { need } from '../support/need.ts'
import { openPlace } from '../support/place.ts'
import { untilSettled } from '../support/service-process.ts'

const parts = need(fleetMissing)
const names = ['acme/one', 'acme/two', 'acme/three', 'acme/four']
const waitsForFile = `const fs = require('fs'); fs.writeFileSync('note.md', 'written\\n'); console.log('Waits'); while (!fs.existsSync(process.argv[1])) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50); console.log('Wrote the note that was missing')`

describe.skipIf(parts.skip)(`a server and two workers on PostgreSQL, Redis and GitHub${parts.note}`, () => {
  let fleet: Fleet
  beforeAll(async () => {
    fleet = await openFleet({ repositories: names })
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  const fire = async (routine: string, key: string) =>
    (await fleet.server.post<{ run: string }>(`/v1/routines/${routine}/fire`, {}, { 'idempotency-key': key })).run

  test('four routines end in four pull requests, on both workers; the same occasions again: still four', async () => {
    for (const name of names) fleet.routine(name.slice(5), { repository: name })
    const [first, second] = [await fleet.worker(), await fleet.worker()]
    const fireAll = () => Promise.all(names.map((name) => fire(name.slice(5), 'tonight')))
    const runs = await fireAll()
    for (const run of runs) expect(await untilSettled(fleet.server, run)).toMatchObject({ state: 'published' })
    expect(await fireAll()).toEqual(runs)
    for (const worker of [first, second]) expect(worker.log()).toContain('run ended')
    const opened = fleet.github.lines().filter((line) => line.kind === 'pull' && line.act === 'opened')
    expect(opened.map((line) => 'repository' in line && line.repository).toSorted()).toEqual(names.toSorted())
    for (const [index, name] of names.entries()) {
      const { commit, branch } = await untilSettled(fleet.server, runs[index]!)
      expect(git(fleet.github.repositories[name]!, 'rev-parse', `refs/heads/${branch}`).trim()).toBe(commit)
    }
    expect(fleet.github.lines().filter((line) => line.kind === 'violation')).toEqual([])
    first.kill('SIGTERM')
    second.kill('SIGTERM')
    expect((await first.exit).code).toBe(0)
    await second.exit
  })

  test('cancelled through the server, the agent on a worker is ended at once', async () => {
    fleet.routine('waits', { repository: 'acme/one', program: waitsForFile, args: ['/nonexistent/go'] })
    const worker = await fleet.worker()
    const run = await fire('waits', 'cancelled')
    await untilWorking(fleet, run)
    const startedAt = performance.now()
    await fleet.server.post(`/v1/runs/${run}/cancel`)
    expect(await untilSettled(fleet.server, run)).toMatchObject({ state: 'cancelled' })
    // The lease is renewed every 0.7 s here; a stop that waits for that, and an agent's grace, is not told apart from luck.
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    worker.kill('SIGTERM')
    await worker.exit
  })

  test('a worker that is told to stop ends what it has, and takes nothing new', async () => {
    const go = `${fleet.data}/go`
    fleet.routine('drains', { repository: 'acme/two', program: waitsForFile, args: [go] })
    const worker = await fleet.worker()
    const run = await fire('drains', 'drained')
    await untilWorking(fleet, run)
    worker.kill('SIGTERM')
    const later = await fire('four', 'later')
    await writeFile(go, '')
    expect(await untilSettled(fleet.server, run)).toMatchObject({ state: 'published' })
    expect((await worker.exit).code).toBe(0)
    expect(worker.log()).not.toContain(later)
    const next = await fleet.worker()
    expect((await untilSettled(fleet.server, later)).state).toMatch(/unchanged|published/)
    next.kill('SIGTERM')
    await next.exit
    expect(await readdir(`${fleet.data}/work`)).toEqual([])
  })

  test('a worker that is told twice gives back what it has, at once; an echo of the first time is none', async () => {
    using place = await openPlace()
    fleet.routine('hurries', { repository: 'acme/two', program: waitsForFile, args: ['/nonexistent/go'] })
    const env = { ...fleet.env, OVERNIGHT_DRAIN_SECONDS: '600' }
    const worker = place.spawn(['worker'], { env })
    await expect.poll(() => worker.stdout(), { timeout: 20_000 }).toContain('takes runs here')
    const run = await fire('hurries', 'twice')
    await untilWorking(fleet, run)
    worker.kill('SIGTERM')
    worker.kill('SIGINT')
    await expect.poll(() => worker.stderr()).toContain('stopping')
    let isOver = false
    void worker.ended.then(() => (isOver = true))
    const again = () => {
      worker.kill('SIGINT')
      return isOver
    }
    await expect.poll(again, { interval: 300, timeout: 15_000 }).toBe(true)
    const { code, stderr } = await worker.ended
    expect({ code, gaveBack: stderr.split('told again').length - 1 }).toEqual({ code: 0, gaveBack: 1 })
    // One that has a worker would be cancelled by that.
    await fleet.server.post(`/v1/runs/${run}/cancel`)
    expect(await fleet.server.get(`/v1/runs/${run}`)).toMatchObject({ state: 'cancelled' })
  })

  test('a run that waited for GitHub does not put its older change over a newer one', async () => {
    const program = `require('fs').writeFileSync('note.md', process.env.OVERNIGHT_RUN); console.log('Waits')`
    fleet.routine('twice', { repository: 'acme/four', program })
    const worker = await fleet.worker()
    await fleet.github.act('fault', { method: 'POST', path: '/pulls', times: 20, answer: { status: 502 } })
    const older = await fire('twice', 'older')
    await untilTold(fleet, older, 'tried again')
    await fleet.github.act('healthy')
    const newer = await fire('twice', 'newer')
    const published = await untilSettled(fleet.server, newer)
    expect(published).toMatchObject({ state: 'published' })
    expect(await untilSettled(fleet.server, older)).toMatchObject({ state: 'skipped', reason: 'superseded', files: 1 })
    const head = git(fleet.github.repositories['acme/four']!, 'rev-parse', `refs/heads/${published.branch}`).trim()
    expect(head).toBe(published.commit)
    worker.kill('SIGTERM')
    await worker.exit
  })

  test('overnight run in a folder of its own works on its own run, and leaves those of the workers alone', async () => {
    using place = await openPlace()
    const owed = await fire('three', 'for-a-worker')
    const file = place.routine('solo', { more: { repository: 'acme/three' } })
    const { code, stdout } = await place.overnight(['run', file, '--json'], {
      env: { ...fleet.env, OVERNIGHT_DATA: `${place.folder}/alone`, OVERNIGHT_LOG: 'error' },
    })
    expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({ code: 0, state: 'published' })
    expect(await fleet.server.get(`/v1/runs/${owed}`)).toMatchObject({ state: 'queued' })
    const worker = await fleet.worker()
    expect((await untilSettled(fleet.server, owed)).state).toMatch(/unchanged|published/)
    worker.kill('SIGTERM')
    await worker.exit
  })

  test('doctor tells of workers, PostgreSQL and Redis, and what a Redis would lose', async () => {
    const worker = await fleet.worker()
    const doctor = async () => {
      using place = await openPlace()
      const { stdout } = await place.overnight(['doctor', '--json'], { env: fleet.env })
      return JSON.parse(stdout) as { what: string; ok: boolean; says: string; hint?: string }[]
    }
    const healthy = await doctor()
    expect(healthy.find(({ what }) => what === 'workers')).toMatchObject({
      ok: true,
      says: '1 alive, 2 runs at a time',
    })
    expect(healthy.find(({ what }) => what === 'PostgreSQL')).toMatchObject({ ok: true })
    expect(healthy.find(({ what }) => what === 'Redis')).toMatchObject({ ok: true })
    await fleet.redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    const unsafe = (await doctor()).find(({ what }) => what === 'Redis')
    expect(unsafe).toMatchObject({ ok: false, hint: expect.stringContaining('noeviction') })
    worker.kill('SIGTERM')
    await worker.exit
  })
})

test.each(['server', 'worker'])('overnight %s without DATABASE_URL says what is missing', async (command) => {
  using place = await openPlace()
  const { code, stderr } = await place.overnight([command])
  expect(code).toBe(2)
  expect(stderr).toContain('DATABASE_URL')
})

const untilWorking = (fleet: Fleet, run: string) => untilTold(fleet, run, 'Waits')

async function untilTold(fleet: Fleet, run: string, what: string): Promise<void> {
  const answer = await fleet.server.fetch(`/v1/runs/${run}/events`)
  let text = ''
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.includes(what)) return
  }
  throw new Error(`the run ended and never told it: ${text}`)
}
