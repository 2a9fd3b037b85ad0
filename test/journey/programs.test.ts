import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CreatedJson, TokenJson } from '../../src/http/api/tokens.ts'
import { openApp, type Asker } from '../support/app.ts'
import { openPlace, type Place } from '../support/place.ts'

let place: Place
let app: Asker
let token: CreatedJson
/** Runs, and what the ledger is to know of the firing behind each. */
const kept: [run: string, firing: object][] = []
beforeAll(async () => {
  place = await openPlace()
  const patient = { program: `setInterval(() => {}, 1000)`, more: { on: { api: true } } }
  const quick = { program: `console.log('nothing to do today')`, more: { on: { api: true } } }
  place.routine('quick', quick)
  place.routine('patient', patient)
  place.routine('patient-2', patient)
  place.routine('patient-3', { ...patient, more: { ...patient.more, overlap: 'skip' } })
  place.routine('personal')
  app = await openApp(place, { OVERNIGHT_CONCURRENCY: '8', OVERNIGHT_ALLOW_HOSTS: 'hooks.test:8080' })
  token = await create({ name: 'ci', scopes: ['fire', 'read'] })
})
afterAll(() => place[Symbol.dispose]())

const post = (
  path: string,
  body: unknown = {},
  more: { token?: string | null; headers?: Record<string, string> } = {},
) => app.ask(path, { method: 'POST', body, ...more })
const create = async (wanted: object) => (await post('/v1/tokens', wanted)).json as CreatedJson
const refused = (status: number, says: RegExp) =>
  expect.objectContaining({ status, json: expect.objectContaining({ detail: expect.stringMatching(says) }) })
const run = (answer: { json: Record<string, unknown> }) => String(answer.json['run'])
const cancel = (id: string) => post(`/v1/runs/${id}/cancel`)

describe('a token', () => {
  test('is shown once, and listed without anything that opens a door', async () => {
    const made = await post('/v1/tokens', { name: 'deploys', routines: ['quick'], expires: '30d' })
    expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store'])
    expect(made.json).toMatchObject({
      name: 'deploys',
      routines: ['quick'],
      scopes: ['fire'],
      state: 'live',
      createdBy: 'cli',
    })
    const secret = String(made.json['token'])
    expect(secret).toMatch(/^ovn_[\w-]{43}$/)
    const listed = await app.ask('/v1/tokens')
    const { tokens } = listed.json as { tokens: TokenJson[] }
    expect(tokens.map(({ id }) => id)).toContain(made.json['id'])
    expect(listed.text).not.toContain(secret)
    expect(listed.text).not.toMatch(/[0-9a-f]{64}/)
    const { expiresAt, createdAt } = tokens.find(({ id }) => id === made.json['id'])!
    expect(Date.parse(expiresAt!) - Date.parse(createdAt)).toBeGreaterThanOrEqual(30 * 86_400_000 - 1000)
  })

  test.each([
    ['no name', { name: ' ' }, 400, /name/],
    ['no scope', { name: 'x', scopes: [] }, 400, /scopes/],
    ['a scope that is none', { name: 'x', scopes: ['admin'] }, 400, /scopes/],
    ['no duration', { name: 'x', expires: 'soon' }, 400, /expires: must be a duration such as 90d, or never/],
    ['no routine at all', { name: 'x', routines: [] }, 400, /routines/],
    ['a routine that there is not', { name: 'x', routines: ['quikc'] }, 404, /no routine "quikc"/],
    ['a key that is none', { name: 'x', scope: 'fire' }, 400, /scope/],
  ])('with %s is not made', async (_, body, status, says) => {
    expect(await post('/v1/tokens', body)).toEqual(refused(status, says))
  })

  test('fires, and is on record as who did and as used', async () => {
    const fired = await post('/v1/routines/quick/fire', {}, { token: token.token })
    expect(fired.status).toBe(202)
    await app.settled(run(fired))
    const { tokens } = (await app.ask('/v1/tokens')).json as { tokens: TokenJson[] }
    expect(tokens.find(({ id }) => id === token.id)?.usedAt).toMatch(/Z$/)
  })

  test('may not say that it is a person', async () => {
    const headers = { 'overnight-client': 'cli' }
    expect(await post('/v1/routines/personal/fire', {}, { token: token.token, headers })).toEqual(
      refused(403, /may not be fired by the API/),
    )
  })

  test('for some routines does not hear of others', async () => {
    const narrow = (await create({ name: 'narrow', routines: ['quick'], scopes: ['fire', 'read'] })).token
    const other = run(await post('/v1/routines/patient/fire', {}, { headers: { 'idempotency-key': 'unseen' } }))
    expect((await post('/v1/routines/quick/fire', {}, { token: narrow })).status).toBe(202)
    for (const name of ['patient', 'no-such'])
      expect(await post(`/v1/routines/${name}/fire`, {}, { token: narrow })).toEqual(
        refused(403, /not for the routine/),
      )
    for (const path of ['', '/events', '/diff'])
      expect(await app.ask(`/v1/runs/${other}${path}`, { token: narrow })).toEqual(refused(404, /no run/))
    const { runs } = (await app.ask('/v1/runs?limit=500', { token: narrow })).json as { runs: { routine: string }[] }
    expect(new Set(runs.map(({ routine }) => routine))).toEqual(new Set(['quick']))
    const { routines } = (await app.ask('/v1/routines', { token: narrow })).json as { routines: { name: string }[] }
    expect(routines.map(({ name }) => name)).toEqual(['quick'])
    expect((await app.ask('/v1/runs?routine=patient', { token: narrow })).json).toEqual({ runs: [] })
    await cancel(other)
  })

  test('opens only what its scope says, and nothing that is for people', async () => {
    const [fire, read] = [await create({ name: 'f' }), await create({ name: 'r', scopes: ['read'] })]
    expect(await app.ask('/v1/runs', { token: fire.token })).toEqual(refused(403, /scope read/))
    expect(await post('/v1/routines/quick/fire', {}, { token: read.token })).toEqual(refused(403, /scope fire/))
    const described = (await app.ask('/openapi.json')).json['paths'] as Record<
      string,
      Record<string, { security: object[] }>
    >
    const both = await create({ name: 'both', scopes: ['fire', 'read'] })
    const forPeople = Object.entries(described).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { security }]) => ({ path, method, security })),
    )
    const closed = forPeople.filter(({ security }) => security.length === 1)
    expect(closed.length).toBeGreaterThan(10)
    expect(forPeople.length - closed.length).toBe(7)
    for (const { path, method } of closed) {
      const asked = `/v1${path.replace(/\{\w+\}/g, 'quick')}`
      const answer = await app.ask(asked, { method: method.toUpperCase(), token: both.token })
      expect([asked, answer.status, answer.json['detail']]).toEqual([asked, 403, expect.stringContaining('for people')])
    }
    for (const path of ['/', '/runs/x', '/live']) expect((await app.ask(path, { token: both.token })).status).toBe(401)
  })

  test('revoked by its name or id is over at once, twice is once, and a name may be taken again', async () => {
    const first = await create({ name: 'leaked', scopes: ['read'] })
    expect((await app.ask('/v1/runs', { token: first.token })).status).toBe(200)
    expect((await app.ask('/v1/tokens/leaked', { method: 'DELETE' })).json).toMatchObject({
      id: first.id,
      state: 'revoked',
    })
    expect(await app.ask('/v1/runs', { token: first.token })).toEqual(refused(401, /revoked/))
    expect(await app.ask('/v1/tokens/leaked', { method: 'DELETE' })).toEqual(refused(404, /no token "leaked"/))
    const again = await app.ask(`/v1/tokens/${first.id}`, { method: 'DELETE' })
    expect(again.json).toMatchObject({ state: 'revoked' })
    expect(await post('/v1/tokens', { name: 'leaked' })).toMatchObject({ status: 201 })
  })

  test('has its name for itself while it is live, also when two ask for it at once', async () => {
    const both = await Promise.all([post('/v1/tokens', { name: 'twin' }), post('/v1/tokens', { name: 'twin' })])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409])
    expect(both).toContainEqual(refused(409, /there is a token "twin" already: tok_/))
    const { id } = both.find(({ status }) => status === 201)!.json as CreatedJson
    expect(await post('/v1/tokens', { name: id })).toEqual(refused(409, /already/))
  })

  test('in an address is refused before anything else, and not repeated', async () => {
    for (const path of [
      `/v1/runs?access_token=${token.token}`,
      `/v1/runs?x=${app.service.token}`,
      `/${token.token}`,
      `/v1/runs/${encodeURIComponent(app.service.token)}`,
      `/v1/runs?x=ovn%5F${token.token.slice(4)}`,
    ]) {
      const answer = await app.ask(path)
      expect(answer).toEqual(refused(400, /token in the address/))
      expect(answer.text).not.toContain(token.token.slice(4))
    }
  })
})

describe('a call that fires', () => {
  test('gives text and payload to the routine as its event, and hears of what cannot be one', async () => {
    const said = { text: 'alert: disk', payload: { severity: 3, deep: { list: ['ä'] } } }
    const fired = await post('/v1/routines/patient/fire', said, { headers: { 'idempotency-key': 'said' } })
    const again = await post('/v1/routines/patient/fire', said, { headers: { 'idempotency-key': 'said' } })
    expect([fired.headers.get('idempotent-replay'), again.headers.get('idempotent-replay')]).toEqual([null, 'true'])
    expect(again.json).toMatchObject({ fresh: false, run: fired.json['run'] })
    const other = { ...said, text: 'alert: memory' }
    expect(await post('/v1/routines/patient/fire', other, { headers: { 'idempotency-key': 'said' } })).toEqual(
      refused(422, /another payload/),
    )
    kept.push([run(fired), { payload: { text: 'alert: disk', severity: 3, deep: { list: ['ä'] } }, by: 'cli' }])
    await cancel(run(fired))
  })

  const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) })
  test.each([
    ['a list', { payload: [] }, /payload/],
    ['NUL', { payload: { a: 'x\0' } }, /payload: must be valid Unicode without NUL/],
    ['half a character', { payload: { list: [{ '\ud800': 1 }] } }, /payload: must be valid Unicode/],
    ['no end', { payload: deep(101) }, /payload: is nested more than 100 deep/],
    ['text twice', { text: 'a', payload: { text: 'b' } }, /text is given twice/],
    ['text that is none', { text: 7 }, /text/],
    ['too much text', { text: 'ä'.repeat(65_537) }, /longer than 65536 characters/],
    ['a callback that is no address', { callback: { url: 'nowhere' } }, /callback: this is no URL/],
    [
      'a callback in the open',
      { callback: { url: 'http://hooks.example/' } },
      /callback: hooks.example would be asked in the open/,
    ],
    [
      'a callback with a password',
      { callback: { url: 'https://a:b@hooks.example/' } },
      /callback: there is a user or a password/,
    ],
    ['a callback that is a file', { callback: { url: 'file:///etc/passwd' } }, /callback: an address with file:/],
  ])('with %s says so', async (_, body, says) => {
    expect(await post('/v1/routines/patient/fire', body)).toEqual(refused(400, says))
  })

  test('may be told of the end: the address stays with the key', async () => {
    const headers = { 'idempotency-key': 'told' }
    const fire = (url?: string) => post('/v1/routines/patient-2/fire', url ? { callback: { url } } : {}, { headers })
    const fired = await fire('http://HOOKS.test:8080/done')
    expect(fired.status).toBe(202)
    expect((await fire('http://hooks.test:8080/done')).json).toMatchObject({ fresh: false })
    expect(await fire('http://hooks.test:8080/other')).toEqual(refused(422, /another callback/))
    expect(await fire()).toEqual(refused(422, /another callback/))
    await cancel(run(fired))
  })

  test('answers with the run it joined', async () => {
    const busy = run(await post('/v1/routines/patient-2/fire'))
    await expect
      .poll(async () => (await app.ask(`/v1/runs/${busy}`)).json['state'], { timeout: 20_000 })
      .toBe('working')
    const waits = await post('/v1/routines/patient-2/fire')
    const joins = await post('/v1/routines/patient-2/fire')
    expect(joins.json).toMatchObject({ outcome: 'coalesced', run: waits.json['run'], fresh: true })
    for (const id of [run(waits), busy]) await cancel(id)
  })
})

describe('waiting for the end', () => {
  test('the answer comes when the run has ended, with how it ended', async () => {
    const answer = await post('/v1/routines/quick/fire?wait=60')
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({
      result: { run: answer.json['run'], state: 'unchanged', endedAt: expect.any(String) },
    })
    const again = await app.ask(`/v1/runs/${run(answer)}?wait=60`)
    expect(again).toMatchObject({ status: 200, json: { state: 'unchanged' } })
  })

  test('or when the time is over, with what is known by then', async () => {
    const answer = await post('/v1/routines/patient/fire?wait=0')
    expect(answer).toMatchObject({ status: 202, json: { result: { run: answer.json['run'], endedAt: null } } })
    const late = await app.ask(`/v1/runs/${run(answer)}?wait=1`)
    expect(late).toMatchObject({ status: 202, json: { endedAt: null } })
    const waiting = app.ask(`/v1/runs/${run(answer)}?wait=200`)
    const began = performance.now()
    await cancel(run(answer))
    expect(await waiting).toMatchObject({ status: 200, json: { state: 'cancelled' } })
    expect(performance.now() - began).toBeLessThan(20_000)
  })

  test.each(['-1', '241', 'ever', '1.5'])('?wait=%s is refused', async (wait) => {
    expect(await post(`/v1/routines/quick/fire?wait=${wait}`)).toEqual(refused(400, /wait/))
    expect(await app.ask(`/v1/runs/x?wait=${wait}`)).toEqual(refused(400, /wait/))
  })
})

describe('a client written for the hosted service', () => {
  const beta = 'experimental-cc-routine-2026-04-01'
  const headers = { 'anthropic-version': '2023-06-01', 'anthropic-beta': beta }
  const path = (id: string) => `/v1/claude_code/routines/${id}/fire`
  const fire = (
    id: string,
    body: unknown = {},
    more: Record<string, string> = {},
    secret: string | null = token.token,
  ) => post(path(id), body, { token: secret, headers: { ...headers, ...more } })
  const says = (status: number, type: string, message: RegExp) => ({
    status,
    json: { type: 'error', error: { type, message: expect.stringMatching(message) } },
  })

  test('fires a routine by its name or as trig_…, and gets a session that is a run of ours', async () => {
    const answer = await fire('trig_quick', { text: 'Sentry alert SEN-4521', ignored: [1] })
    expect([answer.status, answer.type]).toEqual([200, expect.stringMatching(/^application\/json/)])
    const id = String(answer.json['claude_code_session_id'])
    expect(answer.json).toEqual({
      type: 'routine_fire',
      claude_code_session_id: expect.stringMatching(/^session_[0-9a-z]{16}$/),
      claude_code_session_url: `http://127.0.0.1:0/runs/${id.slice(8)}`,
    })
    expect((await app.ask(`/v1/runs/${id}?wait=60`, { token: token.token })).json).toMatchObject({ routine: 'quick' })
    const payload = { text: 'Sentry alert SEN-4521' }
    kept.push([id.slice(8), { payload, trigger: 'api', by: `token:${token.id}` }])
  })

  test('may send nothing at all, and other betas beside', async () => {
    const answer = await app.ask(path('quick'), {
      method: 'POST',
      token: token.token,
      headers: { ...headers, 'anthropic-beta': `other-2025-01-01, ${beta}` },
    })
    expect(answer.status).toBe(200)
  })

  test('may say text of 65,536 characters, however long they are on the way', async () => {
    const body = JSON.stringify({ text: '🌙'.repeat(65_536) }).replaceAll('🌙', String.raw`\ud83c\udf19`)
    expect((await fire('quick', body)).status).toBe(200)
    expect(await fire('quick', { text: '🌙'.repeat(65_537) })).toMatchObject(
      says(400, 'invalid_request_error', /65536/),
    )
  })

  test('gains a key that makes a retry the same session', async () => {
    const once = () => fire('patient', { text: 'once' }, { 'idempotency-key': 'hosted' })
    const [first, second] = [await once(), await once()]
    expect(second.json).toEqual(first.json)
    expect([first.headers.get('idempotent-replay'), second.headers.get('idempotent-replay')]).toEqual([null, 'true'])
    expect(await fire('patient', { text: 'twice' }, { 'idempotency-key': 'hosted' })).toMatchObject(
      says(422, 'invalid_request_error', /another payload/),
    )
    await cancel(String(first.json['claude_code_session_id']))
  })

  test.each([
    ['without a version', { 'anthropic-version': '' }, {}, 400, 'invalid_request_error', /anthropic-version/],
    ['without the beta', { 'anthropic-beta': 'other-2025-01-01' }, {}, 400, 'invalid_request_error', /anthropic-beta/],
    ['with a list for a body', {}, [], 400, 'invalid_request_error', /object/],
    ['with half a body', {}, '{"text":', 400, 'invalid_request_error', /not valid JSON/],
    ['with a number for text', {}, { text: 1 }, 400, 'invalid_request_error', /text/],
    ['with NUL', {}, { text: '\0' }, 400, 'invalid_request_error', /without NUL/],
    [
      'with a form',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'text=x',
      400,
      'invalid_request_error',
      /not JSON/,
    ],
    ['with a bad key', { 'idempotency-key': 'a b' }, {}, 400, 'invalid_request_error', /Idempotency-Key/],
    ['with a megabyte', {}, { text: '', more: 'x'.repeat(1024 * 1024) }, 413, 'request_too_large', /1024 KB/],
  ] as const)('%s is told so in the words of that service', async (...[, more, body, status, type, message]) => {
    expect(await fire('quick', body, more)).toMatchObject(says(status, type, message))
  })

  test('of a routine that there is not, that programs may not fire, that is not its own', async () => {
    expect(await fire('trig_none', {}, {}, app.service.token)).toMatchObject(
      says(404, 'not_found_error', /no routine "none"/),
    )
    expect(await fire('personal')).toMatchObject(says(403, 'permission_error', /may not be fired by the API/))
    const narrow = (await create({ name: 'narrow-too', routines: ['patient'] })).token
    expect(await fire('quick', {}, {}, narrow)).toMatchObject(says(403, 'permission_error', /not for the routine/))
    const read = (await create({ name: 'reads', scopes: ['read'] })).token
    expect(await fire('quick', {}, {}, read)).toMatchObject(says(403, 'permission_error', /scope fire/))
  })

  test('without a token, with another one, at another host, at another path', async () => {
    expect(await fire('quick', {}, {}, null)).toMatchObject(says(401, 'authentication_error', /sign in/))
    expect(await fire('quick', {}, {}, 'sk-ant-oat01-x')).toMatchObject(says(401, 'authentication_error', /sign in/))
    expect(await fire('quick', {}, { host: 'evil.example' })).toMatchObject(
      says(403, 'permission_error', /does not answer/),
    )
    expect(await app.ask('/v1/claude_code/nothing', { token: app.service.token })).toMatchObject(
      says(404, 'not_found_error', /nothing at/),
    )
  })

  test('hears that a routine is paused', async () => {
    await post('/v1/routines/quick/pause', { reason: 'freeze' })
    expect(await fire('quick')).toMatchObject(says(400, 'invalid_request_error', /paused/))
    expect(await fire('quick', {}, { 'idempotency-key': 'paused' })).toMatchObject(
      says(400, 'invalid_request_error', /resumes it.*new Idempotency-Key/),
    )
    await post('/v1/routines/quick/resume')
    expect((await fire('quick')).status).toBe(200)
  })

  test('hears of an occasion that is left out when to try again; under a key, that it takes a new one', async () => {
    const session = async (more: Record<string, string>) =>
      String((await fire('patient-3', {}, more)).json['claude_code_session_id'])
    const busy = await session({ 'idempotency-key': 'begun' })
    const left = await fire('patient-3')
    expect([left, left.headers.get('retry-after')]).toMatchObject([says(429, 'rate_limit_error', /not started/), '60'])
    const keyed = () => fire('patient-3', {}, { 'idempotency-key': 'kept' })
    expect((await keyed()).headers.get('retry-after')).toBeNull()
    await cancel(busy)
    await app.settled(busy.slice('session_'.length))
    const again = await keyed()
    expect(again).toMatchObject(says(429, 'rate_limit_error', /not started: .*new Idempotency-Key/))
    expect([again.headers.get('retry-after'), again.headers.get('idempotent-replay')]).toEqual([null, 'true'])
    await cancel(await session({ 'idempotency-key': 'new' }))
  })

  test('that asks too often waits as it is told', async () => {
    const busy = (await create({ name: 'busy' })).token
    const answers = await Promise.all(Array.from({ length: 200 }, () => fire('none', {}, {}, busy)))
    const limited = answers.filter(({ status }) => status === 429)
    expect(limited.length).toBeGreaterThan(10)
    expect(limited[0]).toMatchObject(says(429, 'rate_limit_error', /too often/))
    expect(Number(limited[0]!.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})

test('guesses are bounded, and hold up nobody who was right before', async () => {
  await app.ask('/v1/runs', { token: token.token })
  const guess = (index: number) => app.ask('/v1/runs', { token: `ovn_${String(index).padStart(43, 'A')}` })
  const answers = await Promise.all(Array.from({ length: 80 }, (_, index) => guess(index)))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]))
  expect(answers.find(({ status }) => status === 429)).toEqual(refused(429, /too many wrong tokens/))
  expect((await app.ask('/v1/runs', { token: token.token })).status).toBe(200)
  expect((await app.ask('/v1/runs')).status).toBe(200)
})

describe('when the service has ended', () => {
  beforeAll(() => app[Symbol.asyncDispose]())

  test('the ledger has what callers said, and who they were', async () => {
    expect(kept.length).toBe(2)
    await place.withLedger(async (ledger) => {
      for (const [run, firing] of kept) expect((await ledger.firings.ofRun(run))[0]).toMatchObject(firing)
    })
  })

  test('tokens are made, listed and revoked by the command line, and the secret of messages is shown', async () => {
    const overnight = async (...args: string[]) => {
      const { stdout, stderr, code } = await place.overnight(args)
      expect([stderr, code]).toEqual(['', 0])
      return stdout
    }
    const create = ['token', 'create', 'from-cli', '--routine', 'quick', '--scope', 'fire,read', '--json']
    const made = JSON.parse(await overnight(...create)) as CreatedJson
    expect(made).toMatchObject({
      name: 'from-cli',
      routines: ['quick'],
      scopes: ['fire', 'read'],
      token: expect.any(String),
    })
    expect(await overnight('token', 'list')).toMatch(
      new RegExp(`${made.id} +live +never +from-cli +fire and read: quick, until`),
    )
    expect(await overnight('token', 'revoke', 'from-cli')).toBe(`revoked: ${made.id} from-cli\n`)
    const secret = await overnight('signing-secret')
    expect(secret).toMatch(/^whsec_[\w+/]{43}=\n$/)
    expect(await overnight('signing-secret')).toBe(secret)
    const wrong = await place.overnight(['token', 'create', 'x', '--expires', 'tomorrow'])
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('must be a duration such as 90d, or never')])
  })
})
