import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { occasionId } from '../../src/runs/occasion.ts'
import { openApp, type Asker } from '../support/app.ts'
import { openPlace, type Place } from '../support/place.ts'

const inputs = { scope: { type: 'string' }, depth: { type: 'number', default: 1 } }
const asking = { more: { on: { api: true }, inputs }, program: `setInterval(() => {}, 1000)` }
let place: Place
let app: Asker
beforeAll(async () => {
  place = await openPlace()
  const patient = `setInterval(() => {}, 1000)`
  place.routine('note', { more: { on: { api: true } } })
  place.routine('personal')
  place.routine('patient', { program: patient, more: { on: { api: true } } })
  place.routine('asking', asking)
  place.routine('workflow', {
    program: `require('fs').mkdirSync('.github/workflows', { recursive: true }); require('fs').writeFileSync('.github/workflows/ci.yml', 'on: push\\n')`,
    more: { on: { api: true } },
  })
  app = await openApp(place, { OVERNIGHT_CONCURRENCY: '8' })
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

const post = (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  app.ask(path, { method: 'POST', body, headers })

/** RFC 9457: every refusal has the same shape, and says what to look at. */
function problem(status: number, says: RegExp): unknown {
  const json = { status, title: expect.any(String), type: expect.any(String), detail: expect.stringMatching(says) }
  return expect.objectContaining({
    status,
    type: expect.stringMatching(/^application\/problem\+json/),
    json: expect.objectContaining(json),
  })
}

const routes: [method: string, path: string][] = [
  ['GET', '/v1/routines'],
  ['POST', '/v1/routines/{name}/fire'],
  ['GET', '/v1/runs'],
  ['POST', '/v1/runs'],
  ['GET', '/v1/runs/{id}'],
  ['GET', '/v1/runs/{id}/events'],
  ['GET', '/v1/runs/{id}/prompt'],
  ['POST', '/v1/runs/{id}/approve'],
  ['POST', '/v1/runs/{id}/deny'],
  ['POST', '/v1/runs/{id}/cancel'],
  ['POST', '/v1/runs/{id}/retry'],
  ['GET', '/v1/next'],
  ['GET', '/v1/pulls'],
  ['POST', '/v1/pulls/{id}/merge'],
  ['POST', '/v1/pulls/{id}/close'],
  ['GET', '/v1/tokens'],
  ['POST', '/v1/tokens'],
  ['DELETE', '/v1/tokens/{id}'],
  ['GET', '/v1/messages'],
  ['POST', '/v1/messages/{id}/send'],
  ['GET', '/v1/signing-secret'],
]
const asked = (path: string) => path.replace('{name}', 'note').replace('{id}', 'nothing')

describe('what stands in front of every route', () => {
  test.each(routes)('%s %s is described, and closed without a token', async (method, path) => {
    const described = await app.ask('/openapi.json', { token: null })
    const paths = described.json['paths'] as Record<string, Record<string, { responses: object }>>
    const base = (described.json['servers'] as { url: string }[])[0]!.url
    const operation = paths[path.slice(base.length)]?.[method.toLowerCase()]
    expect(Object.keys(operation?.responses ?? {}).length).toBeGreaterThan(0)

    const body = method === 'POST' ? {} : undefined
    for (const token of [null, 'wrong', `${app.service.token}x`]) {
      expect(await app.ask(asked(path), { method, body, token })).toEqual(problem(401, /sign in/))
    }
  })

  test('what is open says nothing about anybody', async () => {
    expect((await app.ask('/health', { token: null })).json).toEqual({ state: 'ok' })
    const schema = await app.ask('/routine.schema.json', { token: null })
    expect(schema.json).toMatchObject({
      type: 'object',
      properties: { repository: expect.anything(), on: expect.anything() },
    })
    const described = await app.ask('/openapi.json', { token: null })
    expect(described.json['openapi']).toMatch(/^3\.1/)
    expect(described.text).not.toContain(place.folder)
  })

  test.each([
    ['another name for this machine', { host: 'evil.example:4747' }, 'GET'],
    ['our port by another name', { host: 'evil.example:0' }, 'GET'],
    ['no name', { host: '' }, 'GET'],
    ['a page of another site', { origin: 'https://evil.example' }, 'POST'],
    ['a sandboxed page', { origin: 'null' }, 'POST'],
    ['another service on this machine', { origin: 'http://127.0.0.1:1' }, 'POST'],
    ['a cross-site form', { 'sec-fetch-site': 'cross-site' }, 'POST'],
  ])('%s is refused, though it had the token', async (_, headers, method) => {
    const path = method === 'GET' ? '/v1/runs' : '/v1/routines/note/fire'
    const answer = await app.ask(path, { method, headers, ...(method === 'POST' ? { body: {} } : {}) })
    expect(answer).toEqual(problem(403, /refused|does not answer for/))
  })

  test('every answer forbids scripts of others, framing and guessing of types', async () => {
    for (const path of ['/', '/sign-in', '/v1/runs', '/health', '/nothing', '/runs/nothing']) {
      const { headers } = await app.ask(path)
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("script-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toMatch(/unsafe|\*|data:/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBeTruthy()
      expect(headers.get('referrer-policy')).toBe('same-origin')
    }
  })
})

describe('what is wrong is said', () => {
  test.each([
    ['POST', '/v1/routines/nothing/fire', 404, /no routine "nothing"/],
    ['POST', '/v1/routines/no%2Fsuch/fire', 404, /no routine "no\/such"/],
    ['GET', '/v1/runs/nothing', 404, /no run "nothing"/],
    ['GET', '/v1/runs/%25', 404, /no run "%"/],
    ['GET', '/v1/runs/nothing/events', 404, /no run/],
    ['POST', '/v1/runs/nothing/approve', 404, /no run/],
    ['POST', '/v1/runs/nothing/deny', 404, /no run/],
    ['POST', '/v1/runs/nothing/cancel', 404, /no run/],
    ['POST', '/v1/runs/nothing/retry', 404, /no run/],
    ['POST', '/v1/pulls/nothing/merge', 404, /no pull/],
    ['POST', '/v1/pulls/nothing/close', 404, /no pull/],
    ['GET', '/v1/nothing', 404, /nothing at \/v1\/nothing/],
    ['GET', '/v1/runs?state=odd', 400, /state/],
    ['GET', '/v1/runs?limit=0', 400, /limit/],
    ['GET', '/v1/runs?limit=ten', 400, /limit/],
    ['GET', '/v1/pulls?state=odd', 400, /state/],
  ] as const)('%s %s → %i', async (...[method, path, status, says]) => {
    expect(await app.ask(path, { method, ...(method === 'POST' ? { body: {} } : {}) })).toEqual(problem(status, says))
  })

  test.each([
    ['no JSON', '/v1/routines/note/fire', '{"inputs":', /JSON/],
    ['no JSON', '/v1/runs', 'file=x', /JSON/],
    ['a list', '/v1/routines/note/fire', [], /must be of type object, and is array/],
    ['an unknown key', '/v1/routines/note/fire', { input: {} }, /input/],
    ['a nested input', '/v1/routines/note/fire', { inputs: { a: {} } }, /inputs\.a/],
    ['an unknown key', '/v1/runs', { file: '/x.md', text: '', extra: 1 }, /extra/],
    ['no text', '/v1/runs', { file: '/x.md' }, /text/],
  ] as const)('%s for %s is 400', async (...[, path, body, says]) => {
    expect(await post(path, body)).toEqual(problem(400, says))
  })

  test('a body that is not said to be JSON is refused, not passed over', async () => {
    const inputs = JSON.stringify({ inputs: { scope: 'docs' } })
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x']) {
      expect(await post('/v1/routines/asking/fire', inputs, { 'content-type': type })).toEqual(problem(415, /not JSON/))
    }
    const empty = await app.ask('/v1/routines/note/fire', { method: 'POST', headers: { 'idempotency-key': 'no-body' } })
    expect(empty.status).toBe(202)
    await app.settled(String(empty.json['run']))
  })

  test('inputs that are missing, unknown or of another type are named', async () => {
    expect(await post('/v1/routines/asking/fire')).toEqual(problem(400, /scope/))
    expect(await post('/v1/routines/asking/fire', { inputs: { scope: 'all', scoop: 'all' } })).toEqual(
      problem(400, /scoop/),
    )
    expect(await post('/v1/routines/asking/fire', { inputs: { scope: 'all', depth: 'deep' } })).toEqual(
      problem(400, /depth/),
    )
    expect(await post('/v1/routines/note/fire', { inputs: { scope: 'all' } })).toEqual(problem(400, /scope/))
  })

  test('a body over its limit is 413, and the service goes on', async () => {
    const large = JSON.stringify({ inputs: { scope: 'x'.repeat(300 * 1024) } })
    expect(await post('/v1/routines/asking/fire', large)).toEqual(problem(413, /256 KB/))
    const larger = JSON.stringify({ file: '/x.md', text: 'x'.repeat(1100 * 1024) })
    expect(await post('/v1/runs', larger)).toEqual(problem(413, /1024 KB/))
    expect((await app.ask('/health')).status).toBe(200)
  })

  test('a routine that programs may not fire says so; a person may', async () => {
    expect(await post('/v1/routines/personal/fire')).toEqual(problem(403, /may not be fired by the API/))
    const fired = await post('/v1/routines/personal/fire', {}, { 'overnight-client': 'cli' })
    expect(fired.status).toBe(202)
    expect((await app.settled(String(fired.json['run']))).state).toBe('published')
  })
})

describe('Idempotency-Key', () => {
  test('the same request again is the same firing, also after its run has ended', async () => {
    const first = await post('/v1/routines/note/fire', {}, { 'idempotency-key': 'one' })
    expect(first.status).toBe(202)
    expect(first.json).toMatchObject({ outcome: 'accepted', fresh: true })
    const run = String(first.json['run'])
    await app.settled(run)
    const again = await post('/v1/routines/note/fire', {}, { 'idempotency-key': 'one' })
    expect(again.status).toBe(202)
    expect(again.json).toEqual({ ...first.json, fresh: false })
    const { runs } = (await app.ask('/v1/runs?routine=note')).json as { runs: { run: string }[] }
    expect(runs.filter((row) => row.run === run).length).toBe(1)
  })

  test('with other inputs it is 422, and a routine of its own has keys of its own', async () => {
    const key = { 'idempotency-key': 'two' }
    expect((await post('/v1/routines/asking/fire', { inputs: { scope: 'a' } }, key)).status).toBe(202)
    expect(await post('/v1/routines/asking/fire', { inputs: { scope: 'b' } }, key)).toEqual(
      problem(422, /other inputs/),
    )
    expect((await post('/v1/routines/asking/fire', { inputs: { scope: 'a', depth: 1 } }, key)).json['fresh']).toBe(
      false,
    )
    expect((await post('/v1/routines/patient/fire', {}, key)).json['fresh']).toBe(true)
  })

  test('of a request without all inputs it is the same request when the file has other defaults', async () => {
    const fire = (key: string) =>
      post('/v1/routines/asking/fire', { inputs: { scope: 'a' } }, { 'idempotency-key': key })
    const first = await fire('before')
    const hash = async () => (await app.ask('/v1/plan/in-force')).text
    const before = await hash()
    place.routine('asking', {
      ...asking,
      more: { ...asking.more, inputs: { ...inputs, depth: { type: 'number', default: 2 } } },
    })
    await expect.poll(hash, { timeout: 20_000 }).not.toBe(before)
    expect((await fire('before')).json).toEqual({ ...first.json, fresh: false })
  })

  test.each([['with a space'], ['x'.repeat(201)], ['tab\tbed'], ['']])('%j is no key', async (key) => {
    expect(await post('/v1/routines/note/fire', {}, { 'idempotency-key': key })).toEqual(
      problem(400, /Idempotency-Key/),
    )
  })

  test('fifty at once with one key are one firing', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => post('/v1/routines/patient/fire', {}, { 'idempotency-key': 'fifty' })),
    )
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]))
    expect(new Set(answers.map((answer) => answer.json['firing'])).size).toBe(1)
    expect(answers.filter((answer) => answer.json['fresh']).length).toBe(1)
  })
})

describe('a run by its routes', () => {
  test('is listed, shown whole, found by the beginning of its id, cancelled once and retried', async () => {
    const fired = await post('/v1/routines/patient/fire', {}, { 'idempotency-key': 'shown' })
    const id = String(fired.json['run'])
    const whole = (await app.ask(`/v1/runs/${id.slice(0, 12)}`)).json
    expect(whole).toMatchObject({
      run: id,
      routine: 'patient',
      links: { self: `/v1/runs/${id}`, events: `/v1/runs/${id}/events` },
    })
    const keys = [
      'run',
      'state',
      'reason',
      'branch',
      'base',
      'commit',
      'pullRequest',
      'files',
      'costUsd',
      'seconds',
      'events',
      'links',
    ]
    expect(Object.keys(whole)).toEqual(expect.arrayContaining(keys))

    expect(await post(`/v1/runs/${id}/approve`)).toEqual(problem(409, /nothing to approve/))
    expect(await post(`/v1/runs/${id}/deny`)).toEqual(problem(409, /nothing to deny/))
    expect(await post(`/v1/runs/${id}/retry`)).toEqual(problem(409, /still/))
    expect((await post(`/v1/runs/${id}/cancel`)).status).toBe(200)
    expect((await app.settled(id)).state).toBe('cancelled')
    expect(await post(`/v1/runs/${id}/cancel`)).toEqual(problem(409, /already ended/))

    const retried = await post(`/v1/runs/${id}/retry`)
    expect(retried.status).toBe(202)
    expect(retried.json).toMatchObject({ routine: 'patient', trigger: 'retry' })
    await post(`/v1/runs/${String(retried.json['run'])}/cancel`)
  })

  test('the beginning that several share is ambiguous', async () => {
    expect(await app.ask('/v1/runs/%20')).toEqual(problem(404, /no run/))
    const keys = Array.from({ length: 40 }, (_, index) => `twin-${index}`)
    const [shared, twins] = [...Map.groupBy(keys, (key) => occasionId('patient', `api:${key}`)[0])].find(
      ([, group]) => group.length > 1,
    )!
    const runs: string[] = []
    for (const key of twins.slice(0, 2)) {
      // Each ends before the next is fired, so that they do not join.
      const fired = await post('/v1/routines/patient/fire', {}, { 'idempotency-key': key })
      runs.push(String(fired.json['run']))
      await post(`/v1/runs/${runs.at(-1)}/cancel`)
      await app.settled(runs.at(-1)!)
    }
    expect(await app.ask(`/v1/runs/${shared}`)).toEqual(problem(400, /more than one run/))
    expect((await app.ask(`/v1/runs/${runs[0]!.slice(0, 15)}`)).json).toMatchObject({ run: runs[0] })
  })

  test('the gate waits for a person, who denies or approves', async () => {
    const first = String((await post('/v1/routines/workflow/fire')).json['run'])
    expect(await app.settled(first)).toMatchObject({ state: 'needs_approval', reason: 'policy' })
    const denied = await post(`/v1/runs/${first}/deny`)
    expect(denied.json).toMatchObject({ state: 'cancelled', reason: 'denied' })

    const second = String((await post('/v1/routines/workflow/fire')).json['run'])
    await app.settled(second)
    expect((await app.ask(`/v1/runs/${second}/diff`)).text).toContain('+on: push')
    expect((await post(`/v1/runs/${second}/approve`)).json).toMatchObject({ state: 'publishing' })
    await expect.poll(async () => (await app.settled(second)).state, { timeout: 15_000 }).toBe('published')
  })

  test('its pull request is listed, read as a diff, closed or merged once', async () => {
    const { pulls } = (await app.ask('/v1/pulls?state=open')).json as { pulls: { id: string; branch: string }[] }
    expect(pulls.length).toBeGreaterThanOrEqual(2)
    const [first, second] = pulls
    expect((await app.ask(`/v1/pulls/${first!.id}/diff`)).text).toMatch(/^diff --git/m)
    expect((await post(`/v1/pulls/${first!.id}/close`)).json).toMatchObject({ state: 'closed' })
    expect(await post(`/v1/pulls/${first!.id}/merge`)).toEqual(problem(409, /closed/))
    expect((await post(`/v1/pulls/${second!.id}/merge`)).json).toMatchObject({ state: 'merged' })
    const left = (await app.ask('/v1/pulls?state=open')).json as { pulls: { id: string }[] }
    expect(left.pulls.map((pull) => pull.id)).not.toContain(first!.id)
    expect(left.pulls.map((pull) => pull.id)).not.toContain(second!.id)
  })
})

describe('a file run once', () => {
  test('POST /v1/runs takes its text, and what is wrong in it comes back with its place', async () => {
    const text = `---\nrepository: ${JSON.stringify(place.repository)}\nsandbox: process\nengine: { name: command, command: [node, -e, "require('fs').writeFileSync('once.md', 'once')"] }\n---\n`
    const fired = await post('/v1/runs', { file: `${place.folder}/once.md`, text })
    expect(fired.status).toBe(202)
    expect(await app.settled(String(fired.json['run']))).toMatchObject({ state: 'published', files: 1 })
    const broken = await post('/v1/runs', { file: `${place.folder}/once.md`, text: `---\nrepo: x\n---\n` })
    expect(broken).toEqual(problem(400, /once\.md:2:1/))
  })
})

describe('schedules', () => {
  test('next tells the coming fires of what is in force, and slots what became of those that were due', async () => {
    place.routine('timed', {
      more: { on: { schedule: [{ every: 'day at 9:00', timezone: 'Europe/Berlin' }, { at: '2020-01-01T09:00Z' }] } },
    })
    const next = async (query: string) =>
      (await app.ask(`/v1/next?${query}`)).json as { fires: object[]; now: string; more: boolean }
    await expect.poll(async () => (await next('days=3')).fires.length, { timeout: 20_000, interval: 200 }).toBe(3)
    const { fires, now } = await next('days=30&limit=2&routine=timed')
    expect(fires).toEqual(
      [1, 2].map(() =>
        expect.objectContaining({
          routine: 'timed',
          zone: 'Europe/Berlin',
          local: expect.stringMatching(/^\d{4}-\d\d-\d\d 09:00 \+0[12]:00$/) as string,
          paused: false,
        }),
      ),
    )
    expect([(await next('days=3&limit=2')).more, (await next('days=3&limit=3')).more]).toEqual([true, false])
    expect(Math.abs(Date.parse(now) - Date.now())).toBeLessThan(60_000)
    await post('/v1/routines/timed/pause', { reason: 'summer' })
    expect((await next('days=1')).fires).toMatchObject([{ paused: true }])

    const slots = async () => (await app.ask('/v1/slots?routine=timed')).json
    await expect
      .poll(slots, { timeout: 20_000, interval: 200 })
      .toMatchObject({ slots: [{ at: '2020-01-01T09:00:00.000Z', outcome: 'missed', reason: 'max_age' }] })
  })

  test.each([
    ['/v1/next?days=0', /days/],
    ['/v1/next?days=x', /days/],
    ['/v1/next?limit=10001', /limit/],
  ])('%s is refused', async (path, says) => {
    expect(await app.ask(path)).toEqual(problem(400, says))
  })

  test('next of an unknown routine is not found', async () => {
    expect(await app.ask('/v1/next?routine=nothing')).toEqual(problem(404, /no routine "nothing"/))
  })
})
