import { chmod } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCrew, processesCalled, until, type Crew } from '../support/crew.ts'
import { startDocker, type Docker } from '../support/docker.ts'
import { need } from '../support/need.ts'
import { buildSandboxImage } from '../support/sandbox-image.ts'

const started = await startDocker()
const missing = need('missing' in started ? started.missing : undefined)

// Whole runs in containers, by a service that may be root: what it lends it must get back.
describe.skipIf(missing.skip)(`runs in Docker${missing.note}`, { timeout: 120_000 }, () => {
  const docker = started as Docker
  const more = { sandbox: 'docker' }
  let crew: Crew
  beforeAll(async () => {
    await buildSandboxImage(docker)
    crew = await openCrew({ DOCKER_HOST: docker.env['DOCKER_HOST']!, OVERNIGHT_CONCURRENCY: '6' })
    // The routines' folder is shown to somebody else than root.
    await chmod(crew.place.folder, 0o755)
  }, 300_000)
  afterAll(async () => {
    await crew?.[Symbol.asyncDispose]()
    await docker[Symbol.asyncDispose]()
  }, 60_000)

  async function nothingLeft(run: string): Promise<void> {
    await crew.nothingLeft(run)
    await until(8, async () =>
      (await docker.docker('ps', '--all', '--quiet', '--filter', `label=overnight.run=${run}`))
        .split('\n')
        .filter(Boolean),
    )
  }

  test('without a word of the routine it is Docker; commits, new files and what is uncommitted end in one pull request', async () => {
    const commit = 'git -c user.name=A -c user.email=a@b.c commit --quiet --all --message mine'
    const sh = `id -u; echo one >>README.md; ${commit}; echo two >new; chmod +x new; echo Wrote two lines in here`
    const ended = await crew.settled(await crew.start('commits', { sh }))
    expect(ended).toMatchObject({ state: 'published', sandbox: 'docker', files: 2 })
    expect(await crew.said(ended.run)).toMatch(/^[1-9]\d*\n/)
    expect(await crew.diff(ended.run)).toMatch(/\+one[^]*\+two/)
    await nothingLeft(ended.run)
  })

  test('a time limit ends one that obeys nothing, with what it started', async () => {
    const seconds = `9000.${process.pid}`
    const sh = `trap '' TERM INT HUP; echo changed > README.md
      (setsid sh -c 'trap "" TERM HUP; (setsid sleep ${seconds} &); sleep ${seconds}' &); while :; do sleep ${seconds}; done`
    const run = await crew.start('obeys-nothing', { sh, more: { ...more, limits: { minutes: 0.05 } } })
    const ended = await crew.settled(run)
    expect(ended).toMatchObject({ state: 'timed_out', reason: 'time_limit' })
    expect(ended.seconds).toBeLessThan(3 + 15)
    expect(await crew.diff(run)).toContain('+changed')
    expect(await processesCalled(`sleep ${seconds}`)).toEqual([])
    await nothingLeft(run)
  })

  test('a person cancels one that floods', async () => {
    const run = await crew.start('floods', { sh: 'echo up; exec yes "a line that is neither short nor long"', more })
    await until(30, async () => ((await crew.said(run)).includes('up') ? [] : ['silence']))
    const asked = performance.now()
    await crew.service.post(`/v1/runs/${run}/cancel`)
    expect(await crew.settled(run)).toMatchObject({ state: 'cancelled' })
    expect(performance.now() - asked).toBeLessThan(10_000)
    await nothingLeft(run)
  })

  test('memory that runs out is why it failed; the next one finds everything as it was', async () => {
    const hungry = `exec node -e 'const held = []; for (;;) held.push(Buffer.alloc(2 ** 24, 1))'`
    const limits = { memory: '64MB' }
    const run = await crew.start('hungry', { sh: `echo changed > README.md; ${hungry}`, more: { ...more, limits } })
    const ended = await crew.settled(run)
    expect(ended).toMatchObject({ state: 'failed', reason: 'out_of_memory' })
    expect(await crew.diff(run)).toContain('+changed')
    await nothingLeft(run)
    expect(await crew.settled(await crew.start('next', { sh: 'echo next > README.md', more }))).toMatchObject({
      state: 'published',
    })
  })

  test('fifteen at once', async () => {
    const names = Array.from({ length: 15 }, (_, index) => `many-${index}`)
    const runs = await Promise.all(names.map((name) => crew.start(name, { sh: 'echo done', more })))
    const ended = await Promise.all(runs.map((run) => crew.settled(run)))
    expect(ended.map(({ state }) => state)).toEqual(names.map(() => 'unchanged'))
    for (const run of runs) await nothingLeft(run)
  })
})
