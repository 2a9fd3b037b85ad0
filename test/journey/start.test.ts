import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listenAnywhere } from '../support/listen-anywhere.ts'
import { openPlace } from '../support/place.ts'
import { untilSettled } from '../support/service-process.ts'

/** Everything a person sees of a start that was refused: what is wrong, and one line that says what to do. */
const refusal = (says: RegExp, hint: RegExp) => ({
  code: 2,
  signal: null,
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`^overnight: (${says.source}).*\\n  → (${hint.source}).*\\n$`)) as string,
})

test('two services on one data folder: the second names the first and ends, the first goes on', async () => {
  using place = await openPlace()
  await using first = await place.start()
  const second = await place.overnight(['up'])
  expect(second).toEqual(
    refusal(new RegExp(`.* is in use by process ${first.pid}`), /stop that process, or .*OVERNIGHT_DATA/),
  )
  expect((await first.fetch('/health')).status).toBe(200)
})

test('a port that is taken is named, and the folder is free again', async () => {
  using place = await openPlace()
  await using taken = await listenAnywhere(() => '')
  const refused = await place.overnight(['up'], { env: { OVERNIGHT_PORT: String(taken.port) } })
  expect(refused).toEqual(refusal(new RegExp(`port ${taken.port} on 127.0.0.1 is taken`), /.*OVERNIGHT_PORT/))
  expect(existsSync(join(place.data, 'service.json'))).toBe(false)
  await using service = await place.start()
  expect((await service.fetch('/health')).status).toBe(200)
})

test.each([
  ['as it is started', undefined, 'glibc.malloc.arena_max=2'],
  ['of somebody who has settings of their own', 'glibc.malloc.arena_max=8', 'glibc.malloc.arena_max=8'],
])('what is freed goes back to the system: a service %s', async (_, given, kept) => {
  using place = await openPlace()
  await using service = await place.start({ env: given === undefined ? {} : { GLIBC_TUNABLES: given } })
  const environment = readFileSync(`/proc/${service.pid}/environ`, 'utf8').split('\0')
  // Some glibc cuts its list to pieces, in place.
  const told = environment.filter((one) => one.startsWith('GLIBC_')).map((one) => one.split(':')[0])
  expect(told).toEqual([`GLIBC_TUNABLES=${kept}`])
})

test('a service with the embedded store starts in a quarter of a gigabyte', async () => {
  using place = await openPlace()
  await using service = await place.start()
  const [, most] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${service.pid}/status`, 'utf8')) ?? []
  // It took three times that while V8 made better code of the store's largest function.
  expect(Number(most) / 1024).toBeLessThan(350)
})

describe('a ledger that cannot be read is left as it is', () => {
  test.each<[string, (ledger: string) => void]>([
    ['of another version', (ledger) => writeFileSync(join(ledger, 'PG_VERSION'), '12\n')],
    ['that is something else', (ledger) => rmSync(join(ledger, 'PG_VERSION'))],
    ['whose control file is cut off', (ledger) => truncateSync(join(ledger, 'global', 'pg_control'), 100)],
    ['that is a file', (ledger) => (rmSync(ledger, { recursive: true }), writeFileSync(ledger, 'a file'))],
  ])('%s', async (_, breakIt) => {
    using place = await openPlace()
    const ledger = join(place.data, 'ledger')
    breakIt(ledger)
    const refused = await place.overnight(['up'])
    expect(refused).toEqual(refusal(/.*ledger/, /.*/))
    expect(refused.stderr).not.toContain('    at ')
    expect(existsSync(join(place.data, 'ledger'))).toBe(true)
  })
})

describe('a data folder', () => {
  test('with a path of 150 characters and more works from the first fire to the pull request', async () => {
    using place = await openPlace({ data: join('a'.repeat(60), 'b'.repeat(60), 'data') })
    expect(place.data.length).toBeGreaterThan(150)
    place.routine('note', { more: { sandbox: undefined } })
    await using service = await place.start()
    const { run } = await service.post<{ run: string }>('/v1/routines/note/fire')
    expect(await untilSettled(service, run)).toMatchObject({ state: 'published' })
  })

  test('that this user cannot write to is named', async () => {
    using place = await openPlace()
    const closed = join(place.folder, 'closed')
    mkdirSync(closed)
    chmodSync(closed, 0o500)
    chmodSync(place.folder, 0o755)
    // Root writes everywhere, so the command is somebody else.
    const other = process.getuid?.() === 0 ? { uid: 65_534 } : {}
    const refused = await place.spawn(['up'], { env: { OVERNIGHT_DATA: join(closed, 'data') }, ...other }).ended
    expect(refused).toEqual(refusal(/the data folder .* cannot be used/, /.*OVERNIGHT_DATA/))
  })

  test('below a file is named', async () => {
    using place = await openPlace()
    writeFileSync(join(place.folder, 'file'), '')
    const refused = await place.overnight(['up'], { env: { OVERNIGHT_DATA: join(place.folder, 'file', 'data') } })
    expect(refused).toEqual(refusal(/the data folder .* cannot be used/, /.*OVERNIGHT_DATA/))
  })

  test('is the person’s alone: nobody else reads token, ledger or address', async () => {
    using place = await openPlace()
    rmSync(place.data, { recursive: true })
    await using service = await place.start()
    const modeOf = (name: string) => statSync(join(place.data, name)).mode & 0o077
    expect(service.pid).toBeGreaterThan(0)
    for (const name of ['.', 'token', 'service.json', 'ledger']) expect([name, modeOf(name)]).toEqual([name, 0])
  })
})

test('every bad value of the environment is named at once', async () => {
  using place = await openPlace()
  const env = {
    OVERNIGHT_PORT: '99999',
    OVERNIGHT_CONCURRENCY: 'many',
    OVERNIGHT_LEASE_SECONDS: '0',
    OVERNIGHT_LOG: 'loud',
    OVERNIGHT_URL: 'here',
  }
  const refused = await place.overnight(['up'], { env })
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  for (const name of Object.keys(env)) expect(refused.stderr).toContain(name)
  expect(refused.stderr).toContain('→')
})
