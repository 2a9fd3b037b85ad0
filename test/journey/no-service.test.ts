import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listenAnywhere } from '../support/listen-anywhere.ts'
import { openPlace, type Place } from '../support/place.ts'
import { untilSettled } from '../support/service-process.ts'

describe('commands without a service', () => {
  test('open the folder under its lock, give it back, and what they fired runs at the next start', async () => {
    using place = await openPlace()
    place.routine('note')
    const fired = await place.overnight(['fire', 'note', '--json'])
    expect(fired.code).toBe(0)
    const { run } = JSON.parse(fired.stdout) as { run: string }
    const listed = await place.overnight(['runs', '--json'])
    expect(JSON.parse(listed.stdout)).toEqual([expect.objectContaining({ run, state: 'queued' })])

    await using service = await place.start()
    expect(await untilSettled(service, run)).toMatchObject({ state: 'published' })
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

  test('while a service runs they speak to it', async () => {
    using place = await openPlace()
    place.routine('note')
    await using service = await place.start()
    const fired = await place.overnight(['fire', 'note', '--json'])
    const { run } = JSON.parse(fired.stdout) as { run: string }
    expect(await untilSettled(service, run)).toMatchObject({ state: 'published' })
    expect(fired.stderr).toBe('')
  })
})

describe('the address that a killed service leaves behind', () => {
  test('is not believed: commands open the folder, and a new service takes its place', async () => {
    using place = await openPlace()
    await killService(place)
    expect(existsSync(join(place.data, 'service.json'))).toBe(true)
    const listed = await place.overnight(['runs', '--json'])
    expect({ ...listed, stdout: listed.stdout.trim() }).toEqual({ code: 0, signal: null, stdout: '[]', stderr: '' })
    await using service = await place.start()
    expect(JSON.parse(readFileSync(join(place.data, 'service.json'), 'utf8'))).toMatchObject({ pid: service.pid })
  })

  test('is not believed when another service listens there now, and that one never gets our token', async () => {
    using place = await openPlace()
    await killService(place)
    const heard: string[] = []
    await using other = await listenAnywhere((headers) => {
      heard.push(JSON.stringify(headers))
      return '{"state":"ok"}'
    })
    writeFileSync(join(place.data, 'service.json'), JSON.stringify({ url: `http://127.0.0.1:${other.port}`, pid: 1 }))
    const listed = await place.overnight(['runs', '--json'])
    expect({ code: listed.code, stdout: listed.stdout.trim() }).toEqual({ code: 0, stdout: '[]' })
    expect(heard.join('\n')).not.toContain(readFileSync(join(place.data, 'token'), 'utf8').trim())
  })

  test('is not believed when the service of another data folder listens there now', async () => {
    using place = await openPlace()
    using elsewhere = await openPlace()
    await killService(place)
    await using other = await elsewhere.start()
    cpSync(join(elsewhere.data, 'service.json'), join(place.data, 'service.json'))
    const listed = await place.overnight(['runs', '--json'])
    expect(other.pid).toBeGreaterThan(0)
    expect({ code: listed.code, stdout: listed.stdout.trim(), stderr: listed.stderr }).toEqual({
      code: 0,
      stdout: '[]',
      stderr: '',
    })
  })
})

async function killService(place: Place): Promise<void> {
  await using service = await place.start()
  service.kill('SIGKILL')
  await service.exit
}
