import { cpSync, readFileSync, writeFileSync } from 'node:fs'
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
