import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPlace, type Place } from '../support/place.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

let place: Place
let service: ServiceProcess
beforeAll(async () => {
  place = await openPlace()
  const schedule = { cron: '0 3 * * *', timezone: 'UTC' }
  place.routine('note', { more: { on: { schedule, api: true } } })
  place.routine('other', { more: { on: { api: true }, pace: { max: { runs: 1, per: '1d' } } } })
  service = await place.start()
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

type Paused = { at: string; by: string; reason: string | null } | null
type Folder = { paused: Paused; routines: { name: string; paused: Paused }[] }
type Fired = { outcome: string; reason: string | null; run: string | null; links: { run: string | null } }

async function folder(): Promise<Record<string, Paused>> {
  const { paused, routines } = await service.get<Folder>('/v1/routines')
  return { all: paused, ...Object.fromEntries(routines.map((routine) => [routine.name, routine.paused])) }
}
/** As a program does: without the mark of the command line. */
async function call(path: string, body: unknown = {}): Promise<{ status: number; json: Fired & { detail: string } }> {
  const headers = { 'content-type': 'application/json', 'overnight-client': 'program' }
  const answer = await service.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: answer.status, json: (await answer.json()) as Fired & { detail: string } }
}
/** As a browser that is signed in does. */
async function openBrowser() {
  const { path } = await service.post<{ path: string }>('/v1/sign-in-links')
  const key = new URL(path, service.url).searchParams.get('key')!
  const form = (to: string, fields: Record<string, string>, cookie = '') =>
    fetch(new URL(to, service.url), {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie, origin: service.url },
      body: new URLSearchParams(fields),
    })
  const cookie = (await form('/sign-in', { key })).headers.get('set-cookie')!.split(';')[0]!
  return {
    press: async (to: string) => (await form(to, {}, cookie)).status,
    home: async () => (await fetch(service.url, { headers: { cookie } })).text(),
  }
}

describe('a routine that a person pauses', () => {
  test('is not fired by programs, which are told why; a person fires it, and resumes it', async () => {
    const said = await place.overnight(['pause', 'note', '--reason', 'release week'])
    expect(said).toMatchObject({ code: 0, stdout: 'paused: note, because release week\n' })
    expect((await place.overnight(['pause', 'note'])).stdout).toBe('was paused before: note, because release week\n')
    expect(await folder()).toMatchObject({ all: null, other: null, note: { by: 'cli', reason: 'release week' } })

    const refused = await call('/v1/routines/note/fire')
    expect(refused).toMatchObject({ status: 202, json: { outcome: 'skipped', reason: 'paused', run: null } })
    expect(refused.json.links.run).toBeNull()
    const mine = await service.post<Fired>('/v1/routines/note/fire')
    expect(mine.outcome).toBe('accepted')
    expect((await untilSettled(service, mine.run!)).state).toBe('published')

    expect((await place.overnight(['resume', 'note'])).stdout).toBe('resumed: note\n')
    expect((await place.overnight(['resume', 'note'])).stdout).toBe('was not paused: note\n')
    const fired = await call('/v1/routines/note/fire')
    expect(fired.json.outcome).toBe('accepted')
    await untilSettled(service, fired.json.run!)
  })

  test.each([
    ['a name of no routine', '/v1/routines/nobody/pause', {}, 404, /no routine in force "nobody"/],
    ['a name of no routine', '/v1/routines/nobody/resume', {}, 404, /no routine in force "nobody"/],
    ['a reason that is no text', '/v1/pause', { reason: 7 }, 400, /reason/],
    ['a reason that is a book', '/v1/pause', { reason: 'x'.repeat(501) }, 400, /reason/],
    ['an unknown key', '/v1/pause', { because: 'x' }, 400, /because/],
  ] as const)('%s is refused: %s', async (...[, path, body, status, says]) => {
    const answer = await call(path, body)
    expect([answer.status, answer.json.detail]).toEqual([status, expect.stringMatching(says)])
  })
})

describe('everything paused', () => {
  test('stays so after a restart, is said on the page, and ends by its button', async () => {
    expect((await place.overnight(['pause', '--reason', '<b>move</b>\u202e'])).stdout).toMatch(
      /^paused: all routines, /,
    )
    await service[Symbol.asyncDispose]()
    service = await place.start()
    expect(await folder()).toMatchObject({ all: { by: 'cli' }, note: null, other: null })
    expect((await call('/v1/routines/other/fire')).json).toMatchObject({ outcome: 'skipped', reason: 'paused' })
    const marked = (await place.overnight(['routines'])).stdout
    expect(marked).toMatch(/^note .*all paused · /m)
    expect(marked).toMatch(/^other .*all paused · /m)

    const browser = await openBrowser()
    const page = await browser.home()
    expect(page).toMatch(/<strong>paused since .* by cli: &lt;b&gt;move&lt;\/b&gt;/)
    expect(page).toContain('aria-label="Resume: all routines"')
    expect(await browser.press('/resume')).toBe(303)
    expect((await folder())['all']).toBeNull()
    expect(await browser.press('/routines/other/pause')).toBe(303)
    const after = await browser.home()
    expect(after).toContain('aria-label="Resume: other"')
    expect(after).toContain('aria-label="Pause: note"')
    expect(await browser.press('/routines/other/resume')).toBe(303)
    expect(await folder()).toEqual({ all: null, note: null, other: null })
    expect((await place.overnight(['routines'])).stdout).not.toContain('paused')
  })
})

test('a routine that has made the runs of its pace skips what comes by itself, and a person fires it all the same', async () => {
  const first = await call('/v1/routines/other/fire')
  expect(first.json).toMatchObject({ outcome: 'accepted', reason: null })
  expect((await call('/v1/routines/other/fire')).json).toMatchObject({ outcome: 'skipped', reason: 'rate', run: null })
  const mine = await service.post<Fired>('/v1/routines/other/fire')
  expect(mine.outcome).toBe('accepted')
  for (const { run } of [first.json, mine]) await untilSettled(service, run!)
})

describe('a past window', () => {
  const day = (before: number) => new Date(Date.now() - before * 86_400_000).toISOString().slice(0, 10)
  const window = ['--from', `${day(3)}T00:00Z`, '--to', `${day(1)}T00:00Z`]

  test('is listed, fired slot by slot, and fired once however often it is asked; a pause does not hold it', async () => {
    await place.overnight(['pause', 'note'])
    const listed = await place.overnight(['backfill', 'note', ...window, '--dry-run'])
    expect(listed).toMatchObject({ code: 0, stdout: `${day(3)} 03:00 +00:00  UTC\n${day(2)} 03:00 +00:00  UTC\n` })
    const fired = await place.overnight(['backfill', 'note', ...window])
    expect(fired.stdout).toBe(`${listed.stdout}fired: 2\n`)
    const again = await place.overnight(['backfill', 'note', ...window, '--json'])
    const { slots } = JSON.parse(again.stdout) as { slots: { run: string; fresh: boolean; outcome: string }[] }
    expect(slots.map(({ fresh, outcome }) => [fresh, outcome])).toEqual([
      [false, 'accepted'],
      [false, 'accepted'],
    ])
    const ends = await Promise.all(slots.map(({ run }) => untilSettled(service, run)))
    expect(new Set(ends.map(({ run }) => run)).size).toBe(2)
    await place.overnight(['resume', 'note'])
  })

  test.each([
    ['no time', ['note', '--from', 'yesterday', '--to', day(1)], /--from yesterday is no date or time/],
    ['the future', ['note', '--from', day(1), '--to', '2999-01-01'], /the window ends in the future/],
    ['no schedule', ['other', '--from', day(2), '--to', day(1)], /has no schedule/],
    ['no routine', ['nobody', '--from', day(2), '--to', day(1)], /no routine "nobody"/],
  ] as const)('%s is refused', async (_, args, says) => {
    expect(await place.overnight(['backfill', ...args])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(says) as string,
    })
  })
})
