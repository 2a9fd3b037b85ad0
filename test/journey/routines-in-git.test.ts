import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import { sign } from '@octokit/webhooks-methods'
import { sql } from '../../src/ledger/sql.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { MessagesJson } from '../../src/http/api/messages.ts'
import type { RoutinesJson } from '../../src/http/api/routines.ts'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { applyRoutines } from '../../src/triggers/apply-routines.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import type { Files } from '../support/git-repository.ts'
import { startGitHub, type GitHubProcess } from '../support/github/process.ts'
import { openPostgresLedger, postgresNeed } from '../support/open-ledger.ts'
import { openPlace, routineText, type Place } from '../support/place.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

const secret = 'a secret of sixteen'
const where = 'acme/shop:night/routines@main'

describe('routines that live in a repository on GitHub', () => {
  let place: Place
  let github: GitHubProcess
  let service: ServiceProcess
  const env = () => ({
    ...github.env('app'),
    OVERNIGHT_ROUTINES: where,
    OVERNIGHT_GITHUB_WEBHOOK_SECRET: secret,
  })
  const start = () => place.start({ env: env() })
  beforeAll(async () => {
    place = await openPlace()
    const folder = join(place.folder, 'github')
    mkdirSync(folder)
    github = await startGitHub(folder)
    service = await start()
  })
  afterAll(async () => {
    await service[Symbol.asyncDispose]()
    await github[Symbol.asyncDispose]()
    place[Symbol.dispose]()
  })
  const push = (files: Files) =>
    github.act(
      'commit',
      'acme/shop',
      'main',
      Object.fromEntries(Object.entries(files).map(([name, text]) => [posix.join('night/routines', name), text])),
    )
  const text = (prompt: string) => routineText({ repository: 'acme/shop', prompt })
  const look = () => service.post<{ routines: number; problems: number }>('/v1/routines/look')
  const list = () => service.get<RoutinesJson>('/v1/routines')

  test('a folder that is not there yet is said, and a push brings it into force with its commit', async () => {
    expect((await list()).problems).toMatchObject([
      { file: where, message: 'the branch has no folder "night/routines"' },
    ])
    const commit = await push({ 'tidy.md': text('One') })
    expect(await look()).toEqual({ routines: 1, problems: 0 })
    expect((await list()).routines).toMatchObject([{ name: 'tidy', commit }])
    const { run } = await service.post<{ run: string }>('/v1/routines/tidy/fire', {}, { 'overnight-client': 'cli' })
    expect(await untilSettled(service, run)).toMatchObject({ state: 'published' })
  })

  test('a broken push keeps the last good version and says where; the next good one counts', async () => {
    const before = (await list()).routines[0]!
    await push({ 'tidy.md': text('Two').replace('---\n', '---\nnope: 1\n') })
    expect(await look()).toEqual({ routines: 1, problems: 1 })
    const broken = await list()
    expect(broken.routines).toMatchObject([{ hash: before.hash, commit: before.commit }])
    expect(broken.problems).toMatchObject([{ file: `${where}/tidy.md`, line: 2, column: 1 }])
    const commit = await push({ 'tidy.md': text('Three') })
    await look()
    expect(await list()).toMatchObject({ routines: [{ commit }], problems: [] })
  })

  const deliver = async (event: string, more: object) => {
    const repository = { id: 1, full_name: 'acme/shop', default_branch: 'main' }
    const body = JSON.stringify({ repository, sender: { login: 'ada', type: 'User' }, ...more })
    const received = await fetch(new URL('/hooks/github', service.url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-event': event,
        'x-github-delivery': randomUUID(),
        'x-hub-signature-256': await sign(secret, body),
      },
      body,
    })
    expect(received.status).toBe(202)
  }
  const patient = { timeout: 40_000, interval: 100 }
  const checkOf = (commit: string) =>
    vi.waitFor(async () => {
      const runs = await github.act('checkRuns', 'acme/shop', commit)
      expect(runs).toHaveLength(1)
      return runs[0]!
    }, patient)

  test('each commit that is looked at is told what became of it, at the line where it is wrong', async () => {
    const hostile = text('Two').replace('---\n', '---\n"@everyone <!--": 1\n')
    const bad = await push({ 'tidy.md': hostile, 'Not a @name.md': text('Nobody') })
    expect(await look()).toEqual({ routines: 1, problems: 2 })
    const failed = await checkOf(bad)
    expect(failed).toMatchObject({
      name: 'overnight/routines',
      conclusion: 'failure',
      output: {
        title: '2 files broken; 1 routine in force',
        annotations: expect.arrayContaining([
          expect.objectContaining({ path: 'night/routines/tidy.md', start_line: 2, annotation_level: 'failure' }),
          expect.objectContaining({ path: 'night/routines/Not a @name.md', start_line: 1 }),
        ]),
      },
    })
    const said = JSON.stringify(failed.output.annotations?.map(({ message }) => message)) + failed.output.summary
    expect(said).toContain('everyone')
    expect(said).not.toMatch(/@(everyone|name)|<!--/)
    const mended = await push({ 'tidy.md': text('Three'), 'Not a @name.md': null })
    await look()
    await look()
    expect(await checkOf(mended)).toMatchObject({ conclusion: 'success', output: { title: '1 routine in force' } })
    expect(await github.act('checkRuns', 'acme/shop', bad)).toHaveLength(1)
  })

  test('the delivery of a push puts it in force at once', async () => {
    const connector = { '../connectors/linear.yaml': 'url: https://mcp.example/\n' }
    const commit = await push({ 'tidy.md': text('Four'), ...connector })
    await deliver('push', { ref: 'refs/heads/main', commits: [] })
    await vi.waitFor(
      async () => {
        expect((await list()).routines).toMatchObject([{ commit }])
        expect(await service.get('/v1/connectors')).toMatchObject({
          connectors: [{ connector: 'linear' }],
          problems: [],
        })
      },
      { timeout: 15_000, interval: 100 },
    )
  })

  const proposed = (number: number, action: string) =>
    deliver('pull_request', { action, number, pull_request: { number, base: { ref: 'main' } } })
  const says = (number: number, what: string) =>
    vi.waitFor(async () => {
      const comments = await github.act('comments', 'acme/shop', number)
      expect(comments).toMatchObject([{ user: { login: 'overnight[bot]' }, body: expect.stringContaining(what) }])
      return comments[0]!
    }, patient)

  test('a pull request, from a fork too, is told once what merging it would change, and again after each push', async () => {
    const hostile =
      '@everyone fixes #1\n/deploy now\n```\n</details><img src=x>\n<!-- overnight: plan night%2Froutines -->'
    const files = {
      'night/routines/new.md': text('New'),
      'night/routines/tidy.md': text(`Four, or five\n${hostile}`),
      'night/webhooks/ci.yaml': 'poll: { url: https://ci.example/jobs, every: 5m }\ndescription: "@everyone"\n',
      'night/connectors/linear.yaml': 'url: https://mcp.example/\ntools: [search]\n',
    }
    const { number, head } = await github.act('propose', 'acme/shop', { branch: 'more', files, fork: true })
    await proposed(number, 'opened')
    const first = await says(number, head)
    expect(first.body).toContain('1 added, 1 changed, 0 removed, 0 broken, 0 unchanged')
    expect(first.body).toContain('+ new (added)')
    expect(first.body).toContain('+ webhooks/ci (added)')
    expect(first.body).toMatch(/~ connectors\/linear \(changed\)\n\s*tools +every tool → search\n/)
    expect(first.body).toContain('https://ci.example/jobs every 5m')
    expect(first.body).toContain('Four{+, or five+}\n{+@')
    expect(first.body).toContain('deploy now')
    expect(first.body).not.toMatch(/@everyone|#1|^\/deploy|<img|<\/details|<!--[^]*<!--/m)
    const again = {
      branch: 'more',
      files: {
        'night/routines/tidy.md': null,
        'night/routines/other.md': text('Other'),
        'night/webhooks/ci.yaml': 'poll: {}\n',
      },
      fork: true,
      number,
    }
    const { head: newer } = await github.act('propose', 'acme/shop', again)
    await proposed(number, 'synchronize')
    const second = await says(number, newer)
    expect(second.id).toBe(first.id)
    expect(second.body).toContain('- tidy (removed)')
    expect(second.body).toContain('! webhooks/ci (broken: it would not be in force)')
    expect((await list()).routines.map(({ name }) => name)).toEqual(['tidy'])
  })

  test('a plan and a check that GitHub did not take are told later, once', async () => {
    // Refused at once: what GitHub answers with 5xx is asked again within the same try, for some seconds.
    const answer = { status: 403, body: { message: 'Resource not accessible by integration' } }
    const comments = { method: 'POST', path: 'issues/\\d+/comments', answer }
    await github.act('fault', comments)
    const files = { 'night/routines/late.md': text('Late') }
    const { number, head } = await github.act('propose', 'acme/shop', { branch: 'late', files })
    await proposed(number, 'opened')
    const refusals = { method: 'POST', path: '/check-runs', answer }
    await github.act('fault', refusals)
    const commit = await push({ 'tidy.md': text('Four and a half') })
    await look()
    const owed = async () => (await service.get<MessagesJson>('/v1/messages?state=owed')).messages
    await vi.waitFor(async () => expect(await owed()).toMatchObject([{ kind: 'plan.comment', tries: 1 }]), patient)
    await vi.waitFor(() => expect(service.log()).toContain('the check of the routines could not be set'), patient)
    await look()
    await checkOf(commit)
    await says(number, head)
    await vi.waitFor(async () => expect(await owed()).toEqual([]), patient)
    expect(service.log().match(/could not be told its plan/g)).toHaveLength(1)
  })

  test('a pull request that changes no routine is told nothing', async () => {
    const { number } = await github.act('propose', 'acme/shop', { branch: 'other', files: { 'a.txt': 'a' } })
    const after = { branch: 'last', files: { 'night/routines/@x.md': text('Nobody') } }
    const { number: last } = await github.act('propose', 'acme/shop', after)
    await proposed(number, 'opened')
    await proposed(last, 'opened')
    // They are told one after the other.
    expect((await says(last, '1 broken')).body).not.toContain('@x')
    expect(await github.act('comments', 'acme/shop', number)).toEqual([])
  })

  test.skipIf(postgresNeed.skip)(
    `what another server puts in force late is made good${postgresNeed.note}`,
    async () => {
      await using open = await openPostgresLedger()
      using other = await openPlace()
      await using server = await other.start({ argv: ['server'], env: { ...env(), DATABASE_URL: open.databaseUrl } })
      const lookThere = () => server.post('/v1/routines/look')
      const inForce = async () => (await open.ledger.routines.find('tidy'))?.hash
      await vi.waitFor(async () => expect(await inForce()).toBeDefined(), { timeout: 15_000, interval: 100 })
      const [old] = await open.ledger.routines.versionsInForce()
      await push({ 'tidy.md': text('Five') })
      await lookThere()
      const hash = await inForce()
      expect(hash).not.toBe(old!.hash)
      // It had looked before the push, and is gone now.
      const routine = parseOrRefuse(old!.file, old!.source, { defaultEngine: 'command', checkSchedule })
      await applyRoutines(open.ledger, { routines: [routine], broken: new Map() })
      expect(await inForce()).toBe(old!.hash)
      const again = async () => {
        await lookThere()
        expect(await inForce()).toBe(hash)
      }
      await vi.waitFor(again, { timeout: 15_000, interval: 100 })
    },
  )

  test('a forge that is away takes nothing out of force, not even over a start, and is said once', async () => {
    const { routines } = await list()
    await service[Symbol.asyncDispose]()
    // By now GitHub would be asked for missed events, too, and its refusal of that is another matter.
    await place.withLedger((_, store) => store.db.execute(sql`update settings set at = at - interval '1 hour'`))
    const limited = { status: 429, headers: { 'retry-after': '600' }, body: { message: 'slow down' } }
    await github.act('fault', { path: '/api/', times: 1000, answer: limited })
    service = await start()
    await look()
    await look()
    const away = await list()
    expect(away.routines).toMatchObject([{ name: 'tidy', hash: routines[0]!.hash }])
    expect(away.problems).toMatchObject([
      { file: where, message: expect.stringContaining('GitHub limits our requests') },
    ])
    expect(service.log().match(/GitHub limits our requests[^\n]*"routines folder"/g)).toHaveLength(1)
    await github.act('healthy')
    expect(await look()).toEqual({ routines: 1, problems: 0 })
  })

  test('commands that work on a folder say that there is none', async () => {
    const ended = await place.overnight(['check'], { env: { OVERNIGHT_ROUTINES: where } })
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining(`the routines are in ${where}`) })
    expect((await place.overnight(['new', 'x'], { env: { OVERNIGHT_ROUTINES: where } })).code).toBe(1)
  })
})
