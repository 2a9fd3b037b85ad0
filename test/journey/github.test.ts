import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { git } from '../support/git-repository.ts'
import { startGitHub, type GitHubProcess } from '../support/github/process.ts'
import { openPlace, type Place } from '../support/place.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

const branch = (routine: string) => `overnight/${routine}/main`
/** It also tells everything that it can see about where it came from. */
const agent = (text: string) => `const fs = require('fs')
  console.log(JSON.stringify(process.env), fs.readFileSync('.git/config', 'utf8'), process.argv.join(' '))
  fs.writeFileSync('note.md', '${text}\\n'); console.log('Wrote the note that was missing')`

describe.for(['app', 'token'] as const)('a routine on GitHub, signed in with the %s', (as) => {
  let place: Place
  let github: GitHubProcess
  let service: ServiceProcess
  beforeAll(async () => {
    place = await openPlace()
    const folder = join(place.folder, 'github')
    mkdirSync(folder)
    github = await startGitHub(folder)
    service = await place.start({ env: { ...github.env(as), OVERNIGHT_LOG: 'debug' } })
  })
  afterAll(async () => {
    await service[Symbol.asyncDispose]()
    await github[Symbol.asyncDispose]()
    place[Symbol.dispose]()
  })

  const bare = () => github.repositories['acme/shop']!
  const headOf = (name: string) => git(bare(), 'rev-parse', branch(name))
  const pulls = () => github.act('pulls', 'acme/shop')
  const opened = () => github.lines().filter((line) => line.kind === 'pull' && line.act === 'opened')

  async function fire(name: string, text = 'written', more: Record<string, unknown> = {}) {
    place.routine(name, { program: agent(text), more: { repository: 'acme/shop', ...more } })
    const file = join(place.routines, `${name}.md`)
    const body = { file, text: readFileSync(file, 'utf8') }
    const { run } = await service.post<{ run: string }>('/v1/runs', body)
    return untilSettled(service, run)
  }

  test('ends in one draft pull request whose head is in the repository, and the next run updates it', async () => {
    const more = { output: { pull_request: { labels: ['routine'], reviewers: ['ada', 'nobody-at-all'] } } }
    const first = await fire('tidy', 'one', more)
    expect(first).toMatchObject({
      state: 'published',
      branch: branch('tidy'),
      commit: headOf('tidy'),
      pullRequest: { url: expect.stringMatching(/^http:.*\/acme\/shop\/pull\/\d+$/) },
    })
    const [pull] = await pulls()
    expect(pull).toMatchObject({
      draft: true,
      state: 'open',
      head: { sha: headOf('tidy') },
      title: 'Wrote the note that was missing',
    })
    const { events } = await service.get<{ events: { data: { text?: string } }[] }>(`/v1/runs/${first.run}`)
    expect(events.map(({ data }) => data.text).filter(Boolean)).toEqual([
      expect.stringContaining('nobody-at-all could not be asked'),
    ])

    const second = await fire('tidy', 'two', more)
    expect(second).toMatchObject({ state: 'published', pullRequest: first.pullRequest, commit: headOf('tidy') })
    expect(await fire('tidy', 'two', more)).toMatchObject({ state: 'unchanged' })
    expect(opened()).toHaveLength(1)
    expect(git(bare(), 'rev-list', '--count', `main..${branch('tidy')}`)).toBe('1')
  })

  test('doctor says who is signed in, and what to do when nobody is let in', async () => {
    const good = await place.overnight(['doctor'], { env: github.env(as) })
    expect(good.stdout).toMatch(
      as === 'app' ? /✓ forge 127.0.0.1:\d+: the App overnight\n/ : /✓ forge \S+: acme, by token\n/,
    )
    const bad = await place.overnight(['doctor'], {
      env: { ...github.env('token'), OVERNIGHT_GITHUB_TOKEN: 'ghp_wrong' },
    })
    expect(bad.stdout).toMatch(/! forge .*does not accept our credentials.*\n {2}→ renew OVERNIGHT_GITHUB_TOKEN/)
    expect((await place.overnight(['doctor'])).stdout).toContain('– forge github.com: nobody is signed in')
  })

  // None of it knows how somebody signed in.
  if (as === 'app')
    describe('and then', () => {
      test('the same occasion twice is one firing and one pull request', async () => {
        place.routine('twice', { more: { repository: `${github.url}/acme/shop.git`, on: { api: true } } })
        const path = '/v1/routines/twice/fire'
        await expect
          .poll(async () => (await service.fetch('/v1/routines')).text(), { timeout: 10_000 })
          .toContain('"twice"')
        const key = { 'idempotency-key': 'once' }
        const [one, two] = await Promise.all([
          service.post<{ run: string }>(path, {}, key),
          service.post<{ run: string }>(path, {}, key),
        ])
        expect(one.run).toBe(two.run)
        expect(await untilSettled(service, one.run)).toMatchObject({ state: 'published' })
        expect((await pulls()).filter(({ head }) => head.ref === branch('twice'))).toHaveLength(1)
      })

      test('a person’s commit on the branch is never written over; closed, the next one is -2', async () => {
        const first = await fire('foreign', 'one')
        const theirs = await github.act('commit', 'acme/shop', branch('foreign'), { 'theirs.md': 'mine\n' })
        const second = await fire('foreign', 'two')
        expect(second).toMatchObject({ state: 'failed', reason: 'branch_has_other_commits' })
        expect(headOf('foreign')).toBe(theirs)
        await github.act('close', 'acme/shop', first.pullRequest!.number)
        const { run } = await service.post<{ run: string }>(`/v1/runs/${second.run}/retry`)
        expect(await untilSettled(service, run)).toMatchObject({
          state: 'published',
          branch: `${branch('foreign')}-2`,
          title: second.title,
        })
      })

      test('refused, the change is kept and a retry publishes it without an agent', async () => {
        await github.act('fault', {
          path: String.raw`\.git/git-receive-pack$`,
          push: { lines: ['error: GH006: Protected branch update failed.'], reason: 'protected branch hook declined' },
        })
        const refused = await fire('refused')
        expect(refused).toMatchObject({
          state: 'failed',
          reason: 'push_refused',
          message: expect.stringContaining('GH006'),
        })
        const { run } = await service.post<{ run: string }>(`/v1/runs/${refused.run}/retry`)
        expect(await untilSettled(service, run)).toMatchObject({ state: 'published', commit: headOf('refused') })
        expect(await (await service.fetch(`/v1/runs/${run}/events?follow=no`)).text()).not.toContain('event: output')
      })

      test('limited for longer than a step waits, it gives way for as long, and can be cancelled meanwhile', async () => {
        await github.act('fault', {
          method: 'GET',
          path: String.raw`/repos/acme/shop$`,
          answer: {
            status: 403,
            headers: { 'retry-after': '61' },
            body: { message: 'You have exceeded a secondary rate limit' },
          },
        })
        const file = join(place.routines, 'limited.md')
        place.routine('limited', { more: { repository: 'acme/shop' } })
        const { run } = await service.post<{ run: string }>('/v1/runs', { file, text: readFileSync(file, 'utf8') })
        const notes = async () =>
          (await service.get<{ events: { kind: string; data: { text?: string } }[] }>(`/v1/runs/${run}`)).events
            .filter(({ kind }) => kind === 'note')
            .map(({ data }) => data.text)
        await expect
          .poll(notes, { timeout: 10_000 })
          .toEqual([expect.stringMatching(/limits our requests for 61 s .*; tried again in 61 s/)])
        await service.post(`/v1/runs/${run}/cancel`)
        expect(await untilSettled(service, run)).toMatchObject({ state: 'cancelled' })
      })

      test('it is on the morning’s page and in the lists, to be merged where it is', async () => {
        const { run, pullRequest } = await fire('shown')
        const page = await (await service.fetch('/', { headers: { accept: 'text/html' } })).text()
        expect(page).toContain(`pull request #${pullRequest!.number}`)
        expect(page).not.toMatch(/action="\/pulls\//)
        const listed = await place.overnight(['pulls'], { env: { ...github.env(as) } })
        expect(listed.stdout).toContain(`acme/shop#${pullRequest!.number}`)
        expect(listed.stdout).toContain(pullRequest!.url)
        const shown = await place.overnight(['show', run])
        expect(shown.stdout).toMatch(/sandbox +process, which is no boundary/)
        expect(shown.stdout).toContain(pullRequest!.url)
        const merged = await place.overnight(['merge', `acme/shop#${pullRequest!.number}`])
        expect(merged.stderr).toContain(`merge it there: ${pullRequest!.url}`)
      })
    })

  test('no token is in any process, in any file that stays, in the log or in what was said; GitHub was asked as it wants', async () => {
    const secrets = 'ghp_o{36}|ghs_[0-9]+_|BEGIN RSA'
    expect(service.log()).not.toMatch(new RegExp(secrets))
    // What agents told of themselves is among what is searched.
    expect(spawnSync('grep', ['-rlq', 'OVERNIGHT_PROMPT_FILE', join(place.data, 'transcripts')]).status).toBe(0)
    const found = spawnSync('grep', ['-rlaE', secrets, place.data, place.routines], { encoding: 'utf8' })
    expect([found.status, found.stdout]).toEqual([1, ''])
    expect(readdirSync(join(place.data, 'credentials'))).toEqual([])
    expect(github.lines().filter(({ kind }) => kind === 'violation')).toEqual([])
  })
})

test('a token that a killed process left is gone once a service has started', async () => {
  using place = await openPlace()
  const { pid } = spawnSync('true')
  const left = join(place.data, 'credentials', `${pid}@${hostname()}@aaaaaa`)
  mkdirSync(left, { recursive: true, mode: 0o700 })
  await using _service = await place.start()
  expect(existsSync(left)).toBe(false)
})

test('a GitHub that is down for a while is waited for: nothing is lost, and no agent is started twice', async () => {
  using place = await openPlace()
  const folder = join(place.folder, 'github')
  mkdirSync(folder)
  await using github = await startGitHub(folder)
  await using service = await place.start({ env: github.env('app') })
  const file = place.routine('patient', { more: { repository: 'acme/shop' } })
  // The client tries three times, and then the run gives way.
  await github.act('fault', {
    method: 'POST',
    path: String.raw`/pulls$`,
    times: 3,
    answer: { status: 502, body: 'unicorn' },
  })
  const { run } = await service.post<{ run: string }>('/v1/runs', { file, text: readFileSync(file, 'utf8') })
  expect(await untilSettled(service, run)).toMatchObject({ state: 'published' })
  const { events } = await service.get<{ events: { kind: string; data: { text?: string; state?: string } }[] }>(
    `/v1/runs/${run}`,
  )
  expect(events.flatMap(({ data }) => data.text ?? [])).toEqual([
    expect.stringMatching(/502|unicorn.*; tried again in 5 s$/),
  ])
  expect(events.filter(({ data }) => data.state === 'working')).toHaveLength(1)
  expect(github.lines().filter((line) => line.kind === 'pull' && line.act === 'opened')).toHaveLength(1)
  await service[Symbol.asyncDispose]()
  await place.withLedger(async (ledger) => {
    expect(await ledger.runs.find(run)).toMatchObject({ waits: 1, losses: 0 })
    expect((await ledger.runs.attemptsOf(run)).map(({ outcome }) => outcome)).toEqual(['wait', 'published'])
  })
})
