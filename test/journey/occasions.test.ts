import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeliveryJson, DeliveryWholeJson, SlotJson } from '../../src/http/api/occasion-json.ts'
import type { ReplayedJson } from '../../src/http/api/occasions.ts'
import { slots } from '../../src/ledger/schema.ts'
import { openPlace, type Place } from '../support/place.ts'
import type { ServiceProcess } from '../support/service-process.ts'

const at = new Date('2026-11-20T01:00:00Z')
const token = `ghp_${'a1B'.repeat(12)}`
const body = Buffer.from(JSON.stringify({ action: 'opened', note: `uses ${token}`, list: [1, 'two'] }))

let place: Place
let service: ServiceProcess
let [settled, owed, old] = ['', '', '']
beforeAll(async () => {
  place = await openPlace()
  place.routine('triage')
  await place.withLedger(async (ledger, store) => {
    const headers = { 'user-agent': 'Sentry/1', 'sentry-hook-signature': 'abc' }
    const come = async (key: string, more: object = {}) =>
      (await ledger.deliveries.receive({ source: 'sentry', key, event: 'issue', headers, body, ...more })).id
    const about = { action: 'opened', repository: 'acme/shop', sender: 'mona', subject: 'issue-7' }
    settled = await come('one', { ...about, outcome: 'unmatched', reason: 'no routine asks for it' })
    owed = await come('two')
    old = await come('three', { ...about, source: 'legacy', outcome: 'skipped', reason: 'nobody wanted it' })
    await store.pool.query(
      `update deliveries set received_at = clock() - interval '31 days', settled_at = clock() - interval '30 days',
        body = '', body_removed_at = clock() where id = '${old}'`,
    )
    await ledger.deliveries.postpone(owed, 'GitHub is away')
    // For as long as this story takes nobody tries again.
    await store.pool.query(`update deliveries set not_before = clock() + interval '1 hour' where outcome is null`)
    await store.db.insert(slots).values(
      ['nightly', 'weekly', 'yearly'].map((routine) => ({
        routine,
        at,
        late: routine === 'weekly',
        reason: routine === 'nightly' ? 'max_age' : null,
        outcome: routine === 'nightly' ? ('missed' as const) : ('fired' as const),
      })),
    )
  })
  service = await place.start()
})
afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
  place?.[Symbol.dispose]()
})

const deliveries = (query = '') =>
  service.get<{ deliveries: DeliveryJson[]; next: string | null }>(`/v1/deliveries${query}`)
const replay = (id: string, key?: string) =>
  service.post<ReplayedJson>(`/v1/deliveries/${id}/replay`, {}, key === undefined ? {} : { 'idempotency-key': key })

describe('over HTTP', () => {
  test('deliveries are listed with what became of them, page by page', async () => {
    const [first, second] = [await deliveries('?limit=1'), await deliveries('?outcome=unmatched')]
    expect(first.deliveries.map(({ delivery, outcome }) => [delivery, outcome])).toEqual([[owed, 'owed']])
    expect(second).toMatchObject({
      deliveries: [{ delivery: settled, reason: 'no routine asks for it', subject: 'issue-7', firings: [] }],
      next: null,
    })
    const rest = await deliveries(`?limit=1&before=${encodeURIComponent(first.next!)}`)
    expect(rest.deliveries.map(({ delivery }) => delivery)).toEqual([settled])
    expect((await deliveries('?source=linear')).deliveries).toEqual([])
  })

  test('one is shown with headers and body, without what proves or opens anything', async () => {
    const one = await service.get<DeliveryWholeJson>(`/v1/deliveries/${settled.slice(0, 8)}`)
    expect(one).toMatchObject({
      delivery: settled,
      headers: { 'user-agent': 'Sentry/1' },
      body: { action: 'opened', note: 'uses [redacted]', list: [1, 'two'] },
      bytes: body.length,
      cut: false,
      nextTryAt: null,
    })
    expect(JSON.stringify(one)).not.toContain('signature')
    expect(await service.get(`/v1/deliveries/${owed}`)).toMatchObject({
      tries: 1,
      error: 'GitHub is away',
      nextTryAt: expect.any(String),
    })
  })

  test('a replay is a delivery of its own, once a key, and audited', async () => {
    const again = await replay(settled)
    expect(again.fresh).toBe(true)
    expect(await service.get(`/v1/deliveries/${again.delivery}`)).toMatchObject({
      replayOf: settled,
      key: `replay:${settled}:1`,
      bytes: body.length,
    })
    const outcome = async () => (await service.get<DeliveryJson>(`/v1/deliveries/${again.delivery}`)).outcome
    await expect.poll(outcome, { timeout: 10_000 }).toBe('unmatched')
    expect((await replay(settled)).delivery).not.toBe(again.delivery)
    const kept = await Promise.all(Array.from({ length: 5 }, () => replay(settled, 'this-one')))
    expect(new Set(kept.map(({ delivery }) => delivery)).size).toBe(1)
    expect(kept.filter(({ fresh }) => fresh).length).toBe(1)
    expect((await deliveries()).deliveries.filter(({ replayOf }) => replayOf === settled).length).toBe(3)
  })

  test('one whose body was removed says so, and cannot be replayed', async () => {
    const one = await service.get<DeliveryWholeJson>(`/v1/deliveries/${old}`)
    expect(one).toMatchObject({ outcome: 'skipped', removed: 'body removed after 30 days', body: null, text: null })
    expect(one.bodyRemovedAt).toEqual(expect.any(String))
    const answer = await service.fetch(`/v1/deliveries/${old}/replay`, { method: 'POST' })
    expect([answer.status, await answer.json()]).toEqual([
      409,
      expect.objectContaining({ detail: `delivery ${old} cannot be replayed: body removed after 30 days` }),
    ])
  })

  test('slots are listed, also those of one instant page by page', async () => {
    const all = await service.get<{ slots: SlotJson[] }>('/v1/slots')
    expect(all.slots.map(({ routine }) => routine).toSorted()).toEqual(['nightly', 'weekly', 'yearly'])
    const page = await service.get<{ slots: SlotJson[]; next: string }>('/v1/slots?limit=2')
    const rest = await service.get<{ slots: SlotJson[] }>(`/v1/slots?before=${encodeURIComponent(page.next)}`)
    expect([...page.slots, ...rest.slots]).toEqual(all.slots)
    expect((await service.get<{ slots: SlotJson[] }>('/v1/slots?outcome=missed')).slots).toEqual([
      {
        routine: 'nightly',
        at: at.toISOString(),
        outcome: 'missed',
        late: false,
        reason: 'max_age',
        firing: null,
        run: null,
      },
    ])
  })

  test.each([
    ['GET', '/v1/deliveries/nothing', 404, /there is no delivery/],
    ['GET', '/v1/deliveries/%25', 404, /there is no delivery/],
    ['POST', '/v1/deliveries/nothing/replay', 404, /no delivery/],
    ['GET', '/v1/deliveries?outcome=lost', 400, /outcome/],
    ['GET', '/v1/deliveries?before=yesterday', 400, /before: must be `next`/],
    ['GET', '/v1/slots?limit=0', 400, /limit/],
    ['GET', '/v1/slots?limit=1e9', 400, /limit/],
  ])('%s %s: %d', async (method, path, status, says) => {
    const answer = await service.fetch(path, { method })
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(says)])
  })
})

describe('on the command line', () => {
  test('deliveries, delivery and slots tell the same', async () => {
    const list = await place.overnight(['deliveries', '--outcome', 'unmatched'])
    expect(list.stdout).toMatch(new RegExp(`${settled} .* sentry +issue opened +unmatched +no routine asks for it`))
    const json = JSON.parse(
      (await place.overnight(['deliveries', '--outcome', 'unmatched', '--json'])).stdout,
    ) as unknown
    expect(json).toContainEqual(expect.objectContaining({ delivery: settled }))
    const { stdout } = await place.overnight(['delivery', settled.slice(0, 8)])
    for (const says of [settled, 'acme/shop issue-7', 'user-agent: Sentry/1', '"action": "opened"'])
      expect(stdout).toContain(says)
    expect(stdout).not.toContain(token)
    expect((await place.overnight(['slots', '--routine', 'weekly'])).stdout).toMatch(/weekly +fired, late/)
    expect(await place.overnight(['deliveries', '--source', 'nobody'])).toMatchObject({
      code: 0,
      stdout: 'no deliveries\n',
    })
    expect((await place.overnight(['delivery', old])).stdout).toMatch(/\n\nbody removed after 30 days\n$/)
  })

  test('replay answers with the new one', async () => {
    const ask = async () => (await place.overnight(['replay', settled, '--key', 'typed'])).stdout
    const [first, second] = [await ask(), await ask()]
    expect(first).toMatch(/^[0-9a-z]{16} is the same event again\n$/)
    expect(second).toBe(first.replace('is the same event again', 'was asked for before'))
    expect(await place.overnight(['replay', 'nothing'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no delivery "nothing"'),
    })
  })
})

describe('on the page', () => {
  const page = async (path: string) => {
    const answer = await service.fetch(path)
    return { status: answer.status, text: (await answer.text()).replaceAll(/\s+/g, ' ') }
  }

  test('slots and deliveries stand in one list, which can be narrowed', async () => {
    const all = (await page('/occasions')).text
    for (const says of [
      'nightly',
      'Older than the routine wants',
      'issue opened, issue-7 in acme/shop',
      'GitHub is away',
    ])
      expect(all).toContain(says)
    const missed = (await page('/occasions?routine=&outcome=missed')).text
    expect([missed.includes('Older than the routine wants'), missed.includes('issue-7')]).toEqual([true, false])
    const first = (await page('/occasions?limit=1')).text
    const older = /href="(\/occasions\?[^"]+)" rel="next"/.exec(first)![1]!.replaceAll('&amp;', '&')
    expect((await page(older)).status).toBe(200)
    expect(older).toContain('limit=1&before=')
    expect((await page('/occasions?outcome=lost')).status).toBe(400)
    expect((await page('/')).text).toContain('href="/occasions"')
  })

  test('a delivery whose body was removed says so, and has no button', async () => {
    const { text } = await page(`/deliveries/${old}`)
    expect(text).toContain('Body removed after 30 days.')
    expect(text).not.toContain('Replay')
  })

  test('a delivery shows what it said, and its button replays it once', async () => {
    const { text } = await page(`/deliveries/${settled}`)
    expect(text).toContain('uses [redacted]')
    expect(text).not.toContain(token)
    const key = /name="key" value="([^"]+)"/.exec(text)![1]!
    const press = () =>
      service.fetch(`/deliveries/${settled}/replay`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ key }),
      })
    const [first, second] = [await press(), await press()]
    expect([first.status, first.headers.get('location')]).toEqual([303, second.headers.get('location')])
    expect((await page(first.headers.get('location')!)).text).toContain(`href="/deliveries/${settled}"`)
    expect((await page('/deliveries/nothing')).status).toBe(404)
  })
})
