import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRepository, git } from '../support/git-repository.ts'
import { until } from '../support/crew.ts'
import { processesWith } from '../support/processes.ts'
import { openPlace, routineText, writesNote, type Ended, type Place } from '../support/place.ts'

const keys = ['run', 'state', 'reason', 'branch', 'base', 'commit', 'pullRequest', 'files', 'costUsd', 'seconds']

/** What `--json` promises: one line, exactly the documented keys in their order, `null` for what is absent. */
function theOneLine({ stdout }: Ended): Record<string, unknown> {
  expect(stdout).toMatch(/^\{[^\n]*\}\n$/)
  const said = JSON.parse(stdout) as Record<string, unknown>
  expect(Object.keys(said)).toEqual(keys)
  return said
}

let place: Place
beforeAll(async () => {
  place = await openPlace()
})
afterAll(() => place[Symbol.dispose]())

/** A routine file that is not in the folder of routines. */
function writeFile(name: string, program = writesNote, more: Record<string, unknown> = {}): string {
  const file = join(place.folder, `${name}.md`)
  writeFileSync(file, routineText({ repository: '/nowhere', program, more }))
  return file
}
const shop = (name: string) => createRepository(join(place.folder, name))

describe('overnight run FILE --repository PATH --json, without a service', () => {
  /** The log warns of it. */
  const warned = { OVERNIGHT_SECRET_PIN: '1234' }

  test('publishes, and says so in one line on stdout; the story is on stderr, without what a service would log', async () => {
    const repository = shop('published')
    const file = writeFile('note')
    const ended = await place.spawn(['run', file, '--repository', './published', '--json'], { env: warned }).ended
    expect(ended.code).toBe(0)
    const said = theOneLine(ended)
    expect(said).toMatchObject({
      state: 'published',
      reason: null,
      branch: 'overnight/note/main',
      base: 'main',
      files: 1,
      costUsd: null,
    })
    expect(said['pullRequest']).toEqual({ number: 1, url: expect.any(String) })
    expect(git(repository, 'rev-parse', 'overnight/note/main')).toBe(said['commit'])
    expect(git(repository, 'log', '-1', '--format=%B', 'overnight/note/main')).toContain(
      `Overnight-Run: ${String(said['run'])}`,
    )
    expect(ended.stderr).toContain('Wrote the note that was missing')
    expect(ended.stderr).not.toContain('"level"')
    expect(existsSync(join(repository, 'note.md'))).toBe(false)

    const again = await place.overnight(['run', file, '--repository', repository, '--json'])
    expect(again.code).toBe(0)
    expect(theOneLine(again)).toMatchObject({ state: 'unchanged', pullRequest: { number: 1 }, commit: said['commit'] })
  })

  test.each<[string, string, Record<string, unknown>, object]>([
    ['an agent that fails', 'process.exit(3)', {}, { state: 'failed', reason: 'agent_exit' }],
    [
      'a change that wants a person',
      `require('fs').symlinkSync('/etc/passwd', 'link')`,
      {},
      { state: 'needs_approval', reason: 'policy' },
    ],
    ['a base that is not there', writesNote, { base: 'nope' }, { state: 'failed', reason: 'no_checkout' }],
    ['a key that does nothing yet', writesNote, { limits: { usd: 5 } }, { state: 'failed', reason: 'not_available' }],
  ])('%s ends with 1 and its reason', async (what, program, more, ending) => {
    const name = what.replaceAll(' ', '-')
    const repository = shop(name)
    const ended = await place.overnight(['run', writeFile(name, program, more), '--repository', repository, '--json'])
    expect(ended.code).toBe(1)
    expect(theOneLine(ended)).toMatchObject({ ...ending, pullRequest: null })
    expect(git(repository, 'branch', '--list', 'overnight/*')).toBe('')
  })

  test('nothing to do is a good end', async () => {
    const ended = await place.overnight(['run', writeFile('idle', '0'), '--repository', shop('idle'), '--json'])
    expect(ended.code).toBe(0)
    expect(theOneLine(ended)).toMatchObject({ state: 'unchanged', branch: null, commit: null, pullRequest: null })
  })

  test('a repository that is none, a file that is broken or missing: nothing on stdout but what is true', async () => {
    const none = await place.overnight([
      'run',
      writeFile('lost'),
      '--repository',
      join(place.folder, 'nothing here'),
      '--json',
    ])
    expect(none.code).toBe(1)
    expect(theOneLine(none)).toMatchObject({ state: 'failed', reason: 'no_checkout' })

    const file = join(place.folder, 'broken.md')
    writeFileSync(file, '---\nrepositry: x\n---\nDo it\n')
    const broken = await place.overnight(['run', file, '--json'])
    expect(broken).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/broken\.md:2:1.*repository/s) as string,
    })

    const missing = await place.overnight(['run', 'missing.md', '--json'])
    expect(missing).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('missing.md cannot be read') as string,
    })
  })

  test('Ctrl-C cancels: the agent is ended, the line says cancelled, and the folder is free', async () => {
    const marker = `stubborn-${process.pid}`
    const stubborn = `process.on('SIGTERM', () => {}); console.log('I stay', '${marker}'); setInterval(() => {}, 1000)`
    const running = place.spawn(['run', writeFile('stubborn', stubborn), '--repository', shop('stubborn'), '--json'], {
      env: { ...warned, OVERNIGHT_LOG: 'info' },
    })
    await expect.poll(running.stderr, { timeout: 30_000 }).toContain('I stay')
    // A log is there for whoever asks for one.
    expect(running.stderr()).toMatch(/"level":40,[^\n]*"secret":"PIN"/)
    expect(processesWith(marker).length).toBeGreaterThan(0)
    const stoppedAt = performance.now()
    running.kill('SIGINT')
    const ended = await running.ended
    expect(performance.now() - stoppedAt).toBeLessThan(10_000)
    expect(ended.code).toBe(1)
    expect(theOneLine(ended)).toMatchObject({ state: 'cancelled', reason: 'cancelled' })
    expect(processesWith(marker)).toEqual([])
    expect((await place.overnight(['runs', '--limit', '1', '--json'])).code).toBe(0)
  })
})

test('with a live service the run is handed to it, and Ctrl-C cancels it there', async () => {
  using own = await openPlace()
  const repository = createRepository(join(own.folder, 'handed'))
  const file = join(own.folder, 'note.md')
  writeFileSync(file, routineText({ repository: '/nowhere' }))
  const slow = join(own.folder, 'slow.md')
  writeFileSync(slow, routineText({ repository, program: `console.log('I stay'); setInterval(() => {}, 1000)` }))
  await using service = await own.start()

  const ended = await own.spawn(['run', file, '--repository', repository, '--json']).ended
  expect(ended.code).toBe(0)
  const said = theOneLine(ended)
  const { runs } = await service.get<{ runs: { run: string; state: string }[] }>('/v1/runs')
  expect(runs).toEqual([expect.objectContaining({ run: said['run'], state: 'published' })])
  expect(service.log()).toContain(String(said['run']))

  const running = own.spawn(['run', slow, '--json'])
  await expect.poll(running.stderr, { timeout: 30_000 }).toContain('I stay')
  running.kill('SIGINT')
  const stopped = await running.ended
  expect(stopped.code).toBe(1)
  expect(theOneLine(stopped)).toMatchObject({ state: 'cancelled' })
  expect((await service.fetch('/health')).status).toBe(200)
})

test('what passes by itself is tried again, as a service would', async () => {
  const file = writeFile('docker-away', writesNote, { sandbox: 'docker' })
  const env = { DOCKER_HOST: `unix://${join(place.folder, 'none.sock')}` }
  const running = place.spawn(['run', file, '--repository', shop('away')], { env })
  const tries = () => running.stderr().match(/there is no Docker daemon at [^\n]*; tried again in \d+ s/g) ?? []
  await until(30, async () => (tries().length < 2 ? [running.stderr()] : []))
  running.kill('SIGINT')
  expect((await running.ended).stdout).toMatch(/^cancelled/)
})
