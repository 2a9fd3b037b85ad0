import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { listenAnywhere } from '../support/listen-anywhere.ts'
import { openPlace, type Place } from '../support/place.ts'
import { untilSettled } from '../support/service-process.ts'

describe('commands without a service', () => {
  test('open the folder under its lock, give it back, and what they fired runs at the next start; then they speak to that', async () => {
    using place = await openPlace()
    place.routine('note')
    const fire = async () => {
      const fired = await place.overnight(['fire', 'note', '--json'])
      expect(fired).toMatchObject({ code: 0, stderr: '' })
      return (JSON.parse(fired.stdout) as { run: string }).run
    }
    const run = await fire()
    const listed = await place.overnight(['runs', '--json'])
    expect(JSON.parse(listed.stdout)).toEqual([expect.objectContaining({ run, state: 'queued' })])

    await using service = await place.start()
    expect(await untilSettled(service, run)).toMatchObject({ state: 'published' })
    // The note is there already.
    expect(await untilSettled(service, await fire())).toMatchObject({ state: 'unchanged' })
  })

  test('two at the same moment take turns', async () => {
    using place = await openPlace()
    place.routine('note')
    place.routine('other')
    const ended = await Promise.all(['note', 'other'].map((name) => place.spawn(['fire', name, '--json']).ended))
    expect(ended.map(({ code }) => code)).toEqual([0, 0])
    const listed = await place.overnight(['runs', '--json'])
    expect((JSON.parse(listed.stdout) as unknown[]).length).toBe(2)
  })
})

test('which secrets are stored is not known without a service, and not denied; with it the closest one counts', async () => {
  using place = await openPlace()
  const sending = (name: string, header: string) =>
    writeFileSync(
      join(place.folder, 'connectors', `${name}.yaml`),
      `url: https://${name}.example/mcp\nheaders: { A: "${header}" }\n`,
    )
  mkdirSync(join(place.folder, 'connectors'))
  sending('linear', 'secret:LINEAR')
  sending('sentry', 'secret:SENTRY')
  place.routine('note', { more: { connectors: ['linear', 'sentry'] } })
  const set = (...args: string[]) => place.overnight(['secret', 'set', ...args], { input: 'a-secret-of-some-length' })
  await set('LINEAR')
  // The routine writes its whole path, and this is the same one from here.
  await set('LINEAR', '--repository', './Müllers shop', '--hosts', 'linear.example')
  const secretsIn = async (command: string) =>
    (await place.overnight([command])).stdout.split('\n').filter((line) => /secret/.test(line))
  expect(await secretsIn('check')).toEqual(
    ['LINEAR', 'SENTRY'].map(
      (name) => expect.stringMatching(`secret:${name} is not found, and which ones are stored is not known`) as string,
    ),
  )
  expect(await secretsIn('doctor')).toEqual([
    expect.stringMatching(/^✓ connectors: 2 in .*, 2 secrets are not found, and may be stored: no service answers/),
    '✓ secrets: which ones are stored is not known: no service answers here',
  ])
  await using _service = await place.start()
  expect(await secretsIn('check')).toEqual([expect.stringMatching(/secret:SENTRY is not there – set OVERNIGHT_/)])
})

describe('the address that a killed service leaves behind', () => {
  let place: Place
  const address = () => join(place.data, 'service.json')
  const nothing = { code: 0, signal: null, stdout: '[]', stderr: '' }
  const listed = async () => {
    const told = await place.overnight(['runs', '--json'])
    return { ...told, stdout: told.stdout.trim() }
  }
  let left = ''
  beforeAll(async () => {
    place = await openPlace()
    const service = await place.start()
    service.kill('SIGKILL')
    await service.exit
    left = readFileSync(address(), 'utf8')
  })
  beforeEach(() => writeFileSync(address(), left))
  afterAll(() => place[Symbol.dispose]())

  test('is not believed: commands open the folder', async () => {
    expect(await listed()).toEqual(nothing)
  })

  test('is not believed when another service listens there now, and that one never gets our token', async () => {
    const heard: string[] = []
    await using other = await listenAnywhere((headers) => {
      heard.push(JSON.stringify(headers))
      return '{"state":"ok"}'
    })
    writeFileSync(address(), JSON.stringify({ url: `http://127.0.0.1:${other.port}`, pid: 1 }))
    expect(await listed()).toMatchObject({ code: 0, stdout: '[]' })
    expect(heard.join('\n')).not.toContain(readFileSync(join(place.data, 'token'), 'utf8').trim())
  })

  test('is not believed when the service of another data folder listens there now', async () => {
    using elsewhere = await openPlace()
    await using other = await elsewhere.start()
    cpSync(join(elsewhere.data, 'service.json'), address())
    expect(other.pid).toBeGreaterThan(0)
    expect(await listed()).toEqual(nothing)
  })

  test('is no obstacle: a new service takes its place', async () => {
    await using service = await place.start()
    expect(JSON.parse(readFileSync(address(), 'utf8'))).toMatchObject({ pid: service.pid })
  })
})
