import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { openPlace, type Place } from '../support/place.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

let place: Place
let service: ServiceProcess
beforeAll(async () => {
  place = await openPlace()
  const schedule = { cron: '0 3 * * *', timezone: 'Europe/Berlin' }
  place.routine('note', { more: { on: { schedule }, limits: { minutes: 5, usd: 1 } } })
  place.routine('plain')
  place.routine('patient', { program: 'setInterval(() => {}, 1000)' })
  place.routine('linker', { program: `require('fs').symlinkSync('/etc/passwd', 'link-' + Date.now())` })
  service = await place.start({ env: { OVERNIGHT_CONCURRENCY: '4' } })
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

/** What a command prints with `--json`: it ended well, and stdout is one JSON value and nothing else. */
async function json<T>(...args: string[]): Promise<T> {
  const ended = await place.overnight([...args, '--json'])
  expect({ args, code: ended.code, stderr: ended.stderr.replaceAll(/^──.*\n/gm, '') }).toEqual({
    args,
    code: 0,
    stderr: expect.any(String) as string,
  })
  expect(ended.stdout.endsWith('\n')).toBe(true)
  return JSON.parse(ended.stdout) as T
}
type Row = { run: string; state: string; reason: string | null }
async function fired(routine: string): Promise<string> {
  return (await json<{ run: string }>('fire', routine)).run
}

describe('--json', () => {
  test('check, next and schema speak of the folder without a service', async () => {
    const check = await json<{ routines: { name: string }[]; errors: unknown[]; warnings: { line: number }[] }>('check')
    expect(check.routines.map((routine) => routine.name).sort()).toEqual(['linker', 'note', 'patient', 'plain'])
    expect(check.errors).toEqual([])
    expect(check.warnings).toEqual([expect.objectContaining({ line: 7, hint: 'use limits.minutes' })])
    const next = await json<{ routine: string; at: string; zone: string }[]>('next', '--days', '3')
    expect(next.length).toBe(3)
    expect(next[0]).toMatchObject({ routine: 'note', zone: 'Europe/Berlin' })
    const schema = await place.overnight(['schema'])
    expect(JSON.parse(schema.stdout)).toEqual(await (await service.fetch('/routine.schema.json')).json())
  })

  test.for([
    ['of the service', {}],
    ['of the folder', { OVERNIGHT_DATA: 'nowhere' }],
  ] as const)('next %s says when there is more than it shows', async ([, env]) => {
    const next = async (...args: string[]) => {
      const { stdout, stderr } = await place.overnight(['next', ...args], { env })
      return [stdout.trimEnd().split('\n').length, stderr]
    }
    const more = /^… and more until \d{4}-\d\d-\d\d \d\d:\d\d: see them with --limit/
    expect(await next('note', '--days', '3', '--limit', '2')).toEqual([2, expect.stringMatching(more)])
    expect(await next('note', '--days', '3', '--limit', '3')).toEqual([3, ''])
    // In the hour that clocks change by, one more of them lies within so many times 24 hours.
    expect([
      [200, ''],
      [201, ''],
    ]).toContainEqual(await next('note', '--days', '200'))
    expect(await next('note', '--days', '2000', '--json')).toEqual([1, expect.stringMatching(more)])
  })

  test('doctor tells each part, and that the service is up', async () => {
    const ended = await place.overnight(['doctor', '--json'])
    const findings = JSON.parse(ended.stdout) as { what: string; ok: boolean; says: string }[]
    expect(findings.map((finding) => finding.what)).toEqual(
      expect.arrayContaining(['node', 'git', 'disk', 'results of setup', 'routines', 'service']),
    )
    expect(findings.find((finding) => finding.what === 'results of setup')).toMatchObject({
      ok: true,
      says: expect.stringMatching(/^0 kept, 0 MB of 5120 MB at /) as string,
    })
    expect(findings.find((finding) => finding.what === 'service')).toMatchObject({
      ok: true,
      says: expect.stringContaining(service.url) as string,
    })
  })

  test('doctor tells of secrets: how many, where their key is, whether the command can be asked, which are too short', async () => {
    const doctor = async (env: Record<string, string> = {}) =>
      (await place.overnight(['doctor'], { env })).stdout.split('\n').filter((line) => /secrets/.test(line))
    expect(await doctor()).toEqual([])
    await place.overnight(['secret', 'set', 'DEPLOY'], { input: 'a-secret-of-some-length' })
    const key = join(place.data, 'secrets-key')
    expect(await doctor({ OVERNIGHT_SECRET_COMMAND: '/bin/false' })).toEqual([
      `✓ secrets: 1 stored, with the key at ${key}`,
      '✓ secrets command: /bin/false starts and answers',
    ])
    renameSync(key, `${key}.away`)
    const away = await doctor({ OVERNIGHT_SECRET_COMMAND: '/nonexistent/vault' })
    renameSync(`${key}.away`, key)
    expect(away).toEqual([
      expect.stringMatching(/^! secrets: 1 stored, and their key cannot be read: ENOENT/),
      expect.stringMatching(/^! secrets command: \/nonexistent\/vault: .*ENOENT/),
    ])
    await place.overnight(['secret', 'remove', 'DEPLOY'])
    expect(await doctor({ OVERNIGHT_SECRET_A: 'hush', OVERNIGHT_SECRET_B: 'long enough' })).toEqual([
      '! short secrets: of fewer than 8 bytes, and so neither replaced in texts nor looked for in changes: A',
    ])
  })

  test('fire, runs, show, logs and pulls tell one story', async () => {
    const run = await fired('plain')
    await untilSettled(service, run)
    const runs = await json<Row[]>('runs', '--routine', 'plain')
    expect(runs).toEqual([expect.objectContaining({ run, state: 'published' })])
    expect(await json('show', run.slice(0, 10))).toMatchObject({ run, state: 'published', routine: 'plain' })

    const logs = await place.overnight(['logs', run, '--json'])
    const events = logs.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string })
    expect(new Set(events.map(({ event }) => event))).toEqual(new Set(['state', 'output']))

    const pulls = await json<{ id: string; state: string }[]>('pulls')
    expect(pulls).toEqual([expect.objectContaining({ state: 'open' })])
    expect((await place.overnight(['pulls', pulls[0]!.id])).stdout).toMatch(/^\+written$/m)
    expect(await json('merge', pulls[0]!.id)).toMatchObject({ state: 'merged' })
    expect(await json('pulls')).toEqual([])
    expect(await json('pulls', '--state', 'all')).toEqual([expect.objectContaining({ state: 'merged' })])
    expect(readFileSync(join(place.repository, 'note.md'), 'utf8')).toBe('written\n')
  })

  test('cancel, retry, approve, deny and close', async () => {
    const run = await fired('patient')
    expect(await json('cancel', run)).toMatchObject({ run })
    expect(await untilSettled(service, run)).toMatchObject({ state: 'cancelled' })
    const again = await json<Row>('retry', run)
    expect(again).toMatchObject({ routine: 'patient' })
    await json('cancel', again.run)

    const first = await fired('linker')
    expect(await untilSettled(service, first)).toMatchObject({ state: 'needs_approval' })
    expect(await json('deny', first)).toMatchObject({ state: 'cancelled', reason: 'denied' })
    const second = await fired('linker')
    await untilSettled(service, second)
    expect(await json('approve', second)).toMatchObject({
      state: 'published',
      pullRequest: { number: expect.any(Number) as number },
    })
    const [pull] = await json<{ id: string }[]>('pulls')
    expect(await json('close', pull!.id)).toMatchObject({ state: 'closed' })
  })

  test('sign-in prints a link that works once', async () => {
    const { url } = await json<{ url: string }>('sign-in')
    const use = () =>
      fetch(new URL('/sign-in', url), {
        method: 'POST',
        redirect: 'manual',
        headers: { origin: service.url },
        body: new URLSearchParams({ key: new URL(url).searchParams.get('key')! }),
      })
    // Whoever only looks at the link, as a chat program does for a preview, does not use it up.
    expect((await fetch(url)).status).toBe(200)
    const first = await use()
    expect([first.status, first.headers.get('location')]).toEqual([303, '/'])
    const cookie = first.headers.get('set-cookie')!.split(';')[0]!
    expect((await use()).status).toBe(401)
    expect((await fetch(new URL('/', url), { headers: { cookie } })).status).toBe(200)
    expect((await fetch(new URL('/v1/runs', url), { headers: { cookie } })).status).toBe(200)
    expect((await fetch(new URL('/', url))).status).toBe(401)
    const crossSite = { cookie, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    expect((await fetch(new URL('/routines/plain/fire', url), { method: 'POST', headers: crossSite })).status).toBe(403)
  })
})

describe('exit codes', () => {
  test('0 and 1: fire --wait tells how the run ended', async () => {
    const good = await place.overnight(['fire', 'plain', '--wait', '60', '--text', 'because', '--payload', '{"n":1}'])
    expect([good.code, good.stdout]).toEqual([0, expect.stringMatching(/^accepted: run \w{16} (published|unchanged)/)])
    place.routine('failing', { program: `process.exit(3)` })
    await expect
      .poll(async () => (await place.overnight(['fire', 'failing', '--key', 'k'])).code, { timeout: 20_000 })
      .toBe(0)
    const bad = await place.overnight(['fire', 'failing', '--key', 'k', '--wait', '60'])
    expect([bad.code, bad.stdout]).toEqual([
      1,
      expect.stringMatching(/failed – .*code 3 \(this key was fired before\)\n$/),
    ])
    rmSync(join(place.routines, 'failing.md'))
  })

  test.each([
    ['an unknown command', ['frie', 'note'], /fire/],
    ['an unknown option', ['runs', '--jsno'], /--json/],
    ['a missing argument', ['fire'], /routine/],
    ['an argument too many', ['doctor', 'me'], /argument/],
    ['no command', [], /Usage/],
  ])('2: %s', async (_, args, says) => {
    const ended = await place.overnight(args)
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(says)
  })

  test.each([
    ['an unknown routine', ['fire', 'nothing'], /no routine "nothing"/],
    ['an unknown run', ['show', 'nothing'], /no run "nothing"/],
    ['an unknown run', ['logs', '-f', 'nothing'], /no run "nothing"/],
    ['an unknown pull request', ['merge', 'nothing'], /no pull/],
    ['an unknown pull request', ['pulls', 'nothing'], /no pull/],
    ['an input that the routine does not have', ['fire', 'note', '--input', 'scope=all'], /scope/],
    ['an input without a name', ['fire', 'note', '--input', '=all'], /no name/],
    ['a payload that is no JSON', ['fire', 'note', '--payload', '{severity'], /no JSON/],
    ['a payload that is no object', ['fire', 'note', '--payload', '[]'], /payload/],
    ['a wait that is no number', ['fire', 'note', '--wait', 'long'], /wait/],
    ['a token without a scope that there is', ['token', 'create', 'x', '--scope', 'all'], /scopes/],
    ['a token that there is not', ['token', 'revoke', 'nobody'], /no token "nobody"/],
    ['a message that there is not', ['resend', 'nothing'], /no message/],
    ['a file that is not there', ['run', 'nothing.md'], /cannot be read/],
    ['a name that cannot be', ['new', 'Not A Name'], /cannot be the name/],
    ['a state that does not exist', ['runs', '--state', 'odd'], /state/],
    ['a limit that is no number', ['runs', '--limit', 'many'], /limit/],
  ])('1: %s', async (_, args, says) => {
    const ended = await place.overnight(args)
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toMatch(says)
    expect(ended.stderr).not.toContain('    at ')
  })

  test('1: check finds a mistake, and says where', async () => {
    const routines = join(place.folder, 'broken')
    mkdirSync(routines)
    writeFileSync(join(routines, 'broken.md'), '---\nrepositry: x\n---\n')
    const ended = await place.overnight(['check', '--json'], { env: { OVERNIGHT_ROUTINES: routines } })
    expect(ended.code).toBe(1)
    expect(JSON.parse(ended.stdout)).toMatchObject({ routines: [], errors: [{ line: 2, column: 1 }] })
    rmSync(routines, { recursive: true })
  })

  test('0: help', async () => {
    expect(await place.overnight(['--help'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('fire') as string,
    })
    expect(await place.overnight(['fire', '--help'])).toMatchObject({ code: 0, stderr: '' })
  })

  test('70: what nobody foresaw asks to be reported', async () => {
    let said = ''
    const code = await runCli(['schema'], {
      env: place.env,
      cwd: place.folder,
      out: () => {
        throw new TypeError('the terminal is on fire')
      },
      err: (text) => void (said += text),
      isTerminal: false,
      input: async () => '',
      onSignal: () => {},
    })
    expect(code).toBe(70)
    expect(said).toMatch(/please report.*the terminal is on fire/s)
  })
})
