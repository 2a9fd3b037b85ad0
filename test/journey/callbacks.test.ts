import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FiredJson } from '../../src/http/api/fire.ts'
import type { MessagesJson } from '../../src/http/api/messages.ts'
import { openPostgresLedger, postgresNeed, type PostgresLedger } from '../support/open-ledger.ts'
import { openPlace, type Place } from '../support/place.ts'
import { openReceiver, type Receiver } from '../support/receiver.ts'
import type { ServiceProcess } from '../support/service-process.ts'

describe.skipIf(postgresNeed.skip)(`callbacks, on PostgreSQL${postgresNeed.note}`, () => {
  let open: PostgresLedger
  let place: Place
  let receiver: Receiver
  let service: ServiceProcess
  let secret: string
  const start = () => {
    const env = { DATABASE_URL: open.databaseUrl, OVERNIGHT_ALLOW_HOSTS: receiver.host, OVERNIGHT_LOG: 'warn' }
    return place.start({ env })
  }
  beforeAll(async () => {
    open = await openPostgresLedger()
    place = await openPlace()
    receiver = await openReceiver()
    place.routine('quick', { program: `console.log('nothing to do today')`, more: { on: { api: true } } })
    place.routine('patient', { program: `setInterval(() => {}, 1000)`, more: { on: { api: true } } })
    service = await start()
    secret = (await service.get<{ secrets: string[] }>('/v1/signing-secret')).secrets[0]!
  })
  afterAll(async () => {
    await service[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
    place[Symbol.dispose]()
    await open[Symbol.asyncDispose]()
  })

  const fire = (routine: string, path: string, more = '') =>
    service.post<FiredJson>(`/v1/routines/${routine}/fire${more}`, { callback: { url: receiver.url(path) } })
  const messages = async (state: string) =>
    (await service.get<MessagesJson>(`/v1/messages?state=${state}`)).messages.map(({ data, ...one }) => ({
      ...one,
      run: data['run'],
    }))
  async function later(ms: number): Promise<void> {
    await open.setClock(new Date((await open.ledger.now()).getTime() + ms))
  }
  /** As a receiver reads it: with the library of Standard Webhooks. */
  const verified = ({ body, headers }: Awaited<ReturnType<Receiver['post']>>) =>
    new Webhook(secret).verify(body, headers as Record<string, string>) as { type: string; data: object }

  test('the end of a run comes signed; what answers 500 gets the same message again', async () => {
    receiver.answers('/flaky', 500)
    const fired = await fire('quick', '/flaky')
    const first = await receiver.post('/flaky')
    expect(verified(first)).toMatchObject({
      type: 'run.ended',
      timestamp: expect.stringMatching(/Z$/),
      data: { firing: fired.firing, run: fired.run, routine: 'quick', state: 'unchanged', reason: null },
    })
    await expect
      .poll(() => messages('owed'), { timeout: 20_000 })
      .toMatchObject([{ error: 'it answered 500', tries: 1 }])
    await later(5600)
    const second = await receiver.post('/flaky', 2)
    expect(verified(second)).toEqual(verified(first))
    expect([second.headers['webhook-id'], second.body]).toEqual([first.headers['webhook-id'], first.body])
    await expect
      .poll(() => messages('sent'), { timeout: 20_000 })
      .toMatchObject([{ id: `run_ended_${fired.firing}`, tries: 2, run: fired.run, nextTryAt: null }])
  })

  test('who answers 410 hears no more, which is visible; a person may have it sent again', async () => {
    receiver.answers('/gone', 410)
    await fire('quick', '/gone')
    await receiver.post('/gone')
    await expect
      .poll(() => messages('given_up'), { timeout: 20_000 })
      .toMatchObject([{ error: 'it answered 410: it wants no more', tries: 1 }])
    const { id } = (await messages('given_up'))[0]!
    const env = { DATABASE_URL: open.databaseUrl }
    const doctor = await place.overnight(['doctor'], { env })
    expect(doctor.stdout).toMatch(/! messages: 1 given up/)
    expect((await place.overnight(['resend', id], { env })).stdout).toBe(`${id} is sent again\n`)
    expect(verified(await receiver.post('/gone', 2)).type).toBe('run.ended')
    expect((await place.overnight(['resend', id], { env })).stderr).toMatch(/no message .* was given up/)
  })

  test('killed (-9) before its answer and amid a callback: the same key is the same run, and the callback comes again', async () => {
    receiver.answers('/held', 'silent')
    const ended = await fire('quick', '/held')
    const headers = { 'idempotency-key': 'once', 'content-type': 'application/json' }
    const body = JSON.stringify({ text: 'once', callback: { url: receiver.url('/once') } })
    const ask = (wait: number) =>
      service.fetch(`/v1/routines/patient/fire?wait=${wait}`, { method: 'POST', headers, body })
    const unanswered = ask(200).then(
      () => 'answered',
      () => 'cut off',
    )
    const held = await receiver.post('/held')
    await expect
      .poll(async () => (await open.ledger.runs.list({ routine: 'patient' })).length, { timeout: 20_000 })
      .toBe(1)
    service.kill('SIGKILL')
    expect(await unanswered).toBe('cut off')
    await service.exit

    service = await start()
    const again = await ask(0)
    const replayed = (await again.json()) as FiredJson
    const [run, ...others] = await open.ledger.runs.list({ routine: 'patient' })
    expect([again.headers.get('idempotent-replay'), replayed.run, others]).toEqual(['true', run!.id, []])
    await later(46_000)
    const repeated = await receiver.post('/held', 2)
    expect(verified(repeated)).toEqual(verified(held))
    expect(verified(repeated)).toMatchObject({ data: { run: ended.run } })
    await service.post(`/v1/runs/${run!.id}/cancel`)
    expect(verified(await receiver.post('/once'))).toMatchObject({ data: { run: run!.id, state: 'cancelled' } })
  })

  /** As it is written for the hosted service: the base address and the token are all it is given. */
  async function fireHosted(base: string, token: string, text: string) {
    const answer = await fetch(`${base}/v1/claude_code/routines/trig_quick/fire`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'anthropic-version': '2023-06-01',
        'anthropic-beta': 'experimental-cc-routine-2026-04-01',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ text }),
    })
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
  }

  test('a program that knows the hosted service fires over the network, and its session is a run with a page', async () => {
    const { token } = await service.post<{ token: string }>('/v1/tokens', {
      name: 'alerts',
      routines: ['quick'],
      expires: '2m',
    })
    const { status, json } = await fireHosted(service.url, token, 'disk is full')
    expect([status, json['type'], String(json['claude_code_session_id'])]).toEqual([
      200,
      'routine_fire',
      expect.stringMatching(/^session_/),
    ])
    const page = new URL(String(json['claude_code_session_url']))
    expect((await service.fetch(page.pathname)).status).toBe(200)
    expect(page.origin).toBe(service.url)
    expect(await fireHosted(service.url, `${token}x`, '')).toMatchObject({
      status: 401,
      json: { type: 'error', error: { type: 'authentication_error' } },
    })
    await service.get(`/v1/runs/${String(json['claude_code_session_id'])}?wait=60`)
    await later(120_000)
    expect(await fireHosted(service.url, token, '')).toMatchObject({
      status: 401,
      json: { error: { type: 'authentication_error', message: expect.stringContaining('this token expired at 2') } },
    })
  })

  test('two servers send each message, and none twice', async () => {
    await using _second = await start()
    const fired = await Promise.all(Array.from({ length: 6 }, (_, index) => fire('quick', `/crowd?${index}`)))
    const posts = await Promise.all(fired.map((_, index) => receiver.post(`/crowd?${index}`)))
    expect(posts.map((post) => post.headers['webhook-id'])).toEqual(fired.map(({ firing }) => `run_ended_${firing}`))
    await expect.poll(() => messages('owed'), { timeout: 20_000 }).toEqual([])
    for (const [index] of fired.entries()) expect(receiver.posts(`/crowd?${index}`).length).toBe(1)
  })
})
