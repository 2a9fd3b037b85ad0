import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { sign } from '@octokit/webhooks-methods'
import { sql } from '../../src/ledger/sql.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HookJson } from '../../src/http/api/git-hub-hook.ts'
import type { DeliveryWholeJson } from '../../src/http/api/occasion-json.ts'
import { until } from '../support/crew.ts'
import { freePort } from '../support/free-port.ts'
import { exampleOf, type Payload } from '../support/github/events.ts'
import { startGitHub, type GitHubProcess } from '../support/github/process.ts'
import { openPlace, type Place } from '../support/place.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

const secret = 'what GitHub signs with'
let place: Place
let github: GitHubProcess
let service: ServiceProcess
let env: Record<string, string>
beforeAll(async () => {
  place = await openPlace()
  const folder = join(place.folder, 'github')
  mkdirSync(folder)
  github = await startGitHub(folder)
  const on = (github: unknown) => ({ more: { repository: 'acme/shop', on: { github } } })
  place.routine('triage', on({ event: 'issues', actions: ['opened'], if: { 'issue.title': { matches: '(?i)bug' } } }))
  place.routine('labelled', on({ label: 'go' }))
  place.routine('fix', {
    more: { repository: 'acme/shop', on: { github: { command: 'fix' } }, inputs: { text: { default: 'all' } } },
    program: `require('fs').writeFileSync('note.md', require('fs').readFileSync(process.env.OVERNIGHT_INPUTS_FILE))`,
  })
  place.routine('counted', on({ event: 'star', allow: { users: ['acme'] } }))
  env = {
    ...github.env('app'),
    OVERNIGHT_GITHUB_WEBHOOK_SECRET: secret,
    OVERNIGHT_PORT: String(await freePort()),
    OVERNIGHT_LOG: 'info',
  }
  service = await place.start({ env })
  await github.act('hookAt', { url: service.url, secret })
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
  await github[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

const repository = { id: 1, full_name: 'acme/shop' }
const by = (login: string, payload: Payload): Payload => ({
  ...payload,
  repository,
  sender: { login, type: 'User', id: 2 },
})
const issue = (login: string, number: number, title: string) =>
  by(login, { action: 'opened', issue: { ...(exampleOf('issues', 'opened')['issue'] as object), number, title } })

async function deliveryOf(guid: string): Promise<DeliveryWholeJson | undefined> {
  const { deliveries } = await service.get<{ deliveries: { delivery: string }[] }>('/v1/deliveries?limit=20')
  for (const { delivery } of deliveries) {
    const whole = await service.get<DeliveryWholeJson>(`/v1/deliveries/${delivery}`)
    if (whole.key === guid) return whole
  }
  return undefined
}
async function settled(guid: string): Promise<DeliveryWholeJson> {
  await until(20, async () => [await deliveryOf(guid)].filter((one) => one === undefined || one.outcome === 'owed'))
  return (await deliveryOf(guid))!
}
const deliver = async (event: string, payload: object) => {
  const { guid, status } = await github.act('deliver', event, payload)
  expect(status).toBe(202)
  return settled(guid)
}

test('an issue is opened: a run about it, on a branch of its own', async () => {
  const delivery = await deliver('issues', issue('acme', 12, 'A bug'))
  expect(delivery).toMatchObject({ outcome: 'fired', sender: 'acme', subject: 'issue-12', repository: 'acme/shop' })
  expect(delivery.headers).not.toHaveProperty('x-hub-signature-256')
  const [firing] = delivery.firings
  expect(await untilSettled(service, firing!.run!)).toMatchObject({
    state: 'published',
    branch: 'overnight/triage/issue-12',
  })
})

test('one that does not fit, and one by a stranger, are on record and start nothing', async () => {
  expect(await deliver('issues', issue('acme', 13, 'A wish'))).toMatchObject({
    outcome: 'unmatched',
    reason: 'no condition of triage fits',
    firings: [],
  })
  const elsewhere = { ...issue('acme', 13, 'A bug'), repository: { id: 9, full_name: 'acme/elsewhere' } }
  expect(await deliver('issues', elsewhere)).toMatchObject({
    outcome: 'unmatched',
    reason: 'no routine with on.github names acme/elsewhere as its repository',
  })
  expect(await deliver('issues', issue('reader', 14, 'A bug'))).toMatchObject({
    outcome: 'refused',
    reason: 'triage: reader may not write to the repository',
    firings: [],
  })
})

test('events that arrive in another order than they happened are each judged by what they say', async () => {
  const opened = issue('acme', 21, 'A bug, closed before we heard of it')
  expect(await deliver('issues', { ...opened, action: 'closed' })).toMatchObject({ outcome: 'unmatched', firings: [] })
  expect(await deliver('issues', opened)).toMatchObject({ outcome: 'fired', subject: 'issue-21' })
  const label = (action: string) => by('acme', { action, label: { name: 'go' }, issue: { number: 22, title: 'x' } })
  expect(await deliver('issues', label('unlabeled'))).toMatchObject({ outcome: 'unmatched', firings: [] })
  expect(await deliver('issues', label('labeled'))).toMatchObject({
    outcome: 'fired',
    subject: 'issue-22',
    firings: [{ routine: 'labelled', run: expect.any(String) }],
  })
})

test('a comment is a command, and the rest of its line an input', async () => {
  const about = { action: 'created', issue: { number: 12 }, comment: { body: '@overnight fix the tests\n\nplease' } }
  const { firings, outcome } = await deliver('issue_comment', by('acme', about))
  expect(outcome).toBe('fired')
  const { run } = await untilSettled(service, firings[0]!.run!)
  expect(await (await service.fetch(`/v1/runs/${run}/diff`)).text()).toContain('"text":"the tests"')
})

test('while GitHub cannot be asked who may, the event is owed and says why; then it is decided', async () => {
  const opened = by('ada', { action: 'opened', issue: { number: 15, title: 'Another bug' } })
  const permission = { method: 'GET', path: 'collaborators/ada/permission' }
  await github.act('fault', { ...permission, times: 3, answer: { status: 502, body: 'unicorn' } })
  const { guid } = await github.act('deliver', 'issues', opened)
  await until(20, async () => [await deliveryOf(guid)].filter((one) => (one?.tries ?? 0) === 0))
  expect(await deliveryOf(guid)).toMatchObject({ error: expect.stringContaining('GitHub could not be reached') })
  // Nobody gave ada a right to write.
  expect(await settled(guid)).toMatchObject({
    outcome: 'refused',
    reason: 'triage: ada may not write to the repository',
  })
})

test('the same delivery a thousand times at once is answered 2xx a thousand times, and is one firing', async () => {
  const text = JSON.stringify(by('acme', { action: 'created' }))
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'star',
    'x-github-delivery': '00000000-1000-4000-8000-000000000000',
    'x-hub-signature-256': await sign(secret, text),
  }
  const answers = await Promise.all(
    Array.from({ length: 1000 }, async () => {
      const answer = await fetch(`${service.url}/hooks/github`, { method: 'POST', headers, body: text })
      return `${answer.status} ${await answer.text()}`
    }),
  )
  expect(new Set(answers).size).toBe(1)
  expect(answers[0]).toMatch(/^202 /)
  const { firings } = await settled(headers['x-github-delivery'])
  expect(firings.length).toBe(1)
  const { runs } = await service.get<{ runs: { routine: string }[] }>('/v1/runs')
  expect(runs.filter(({ routine }) => routine === 'counted').length).toBe(1)
})

/** The last look was a moment ago, and a service that starts over and over does not look each time. */
const lookAgain = () =>
  place.withLedger((_, store) => store.db.execute(sql`update settings set at = at - interval '20 minutes'`))
const asksFor = () => github.lines().filter((line) => line.kind === 'request' && line.path.endsWith('/attempts')).length

test('what happened while nobody listened is asked for at the next start, once, and the doctor says so', async () => {
  await service[Symbol.asyncDispose]()
  const missed = await github.act('deliver', 'issues', issue('acme', 16, 'A bug at night'))
  expect(missed.status).toBe(0)
  await lookAgain()
  service = await place.start({ env })
  expect(await settled(missed.guid)).toMatchObject({ outcome: 'fired', subject: 'issue-16' })
  expect(service.log()).toContain('asked for again')
  expect(asksFor()).toBe(1)
  const { stdout } = await place.overnight(['doctor'], { env })
  expect(stdout).toMatch(
    /✓ events of GitHub: the last one \(issues\) came 2\d{3}-\S+Z; 1 missed were asked for again by the look at 2/,
  )
  expect(stdout).toMatch(/✓ webhook of GitHub: the App's writes to http:\S+\/hooks\/github\n/)
})

test('with a token the webhook of the repository is asked; without the right that is said', async () => {
  await service[Symbol.asyncDispose]()
  await github.act('hookAt', { url: service.url, secret, repository: 'acme/shop' })
  const { guid } = await github.act('deliver', 'issues', issue('acme', 17, 'A bug the next night'))
  const asked = asksFor()
  const { OVERNIGHT_GITHUB_APP_ID: _id, OVERNIGHT_GITHUB_APP_KEY_FILE: _file, ...rest } = env
  env = { ...rest, ...github.env('token'), OVERNIGHT_GITHUB_TOKEN: github.tokens.reader }
  await lookAgain()
  service = await place.start({ env })
  const missed = async () => (await service.get<HookJson>('/v1/hooks/github')).missed
  await until(20, async () => ((await missed()).some(({ error }) => error) ? [] : await missed()))
  expect(await missed()).toMatchObject([{ name: 'acme/shop', error: expect.stringContaining('may not see'), asked: 0 }])
  expect(service.log().match(/may not see the webhooks of acme\/shop/g)).toHaveLength(1)
  await service[Symbol.asyncDispose]()
  await lookAgain()
  env = { ...env, ...github.env('token') }
  service = await place.start({ env })
  expect(await settled(guid)).toMatchObject({ outcome: 'fired', subject: 'issue-17' })
  expect(asksFor()).toBe(asked + 1)
  expect(github.lines().filter(({ kind }) => kind === 'violation')).toEqual([])
})
