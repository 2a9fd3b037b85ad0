import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { HistoryJson } from '../../src/http/api/history.ts'
import type { RoutinesJson } from '../../src/http/api/routines.ts'
import { openPlace, type Place } from '../support/place.ts'
import type { ServiceProcess } from '../support/service-process.ts'

describe('versions of a routine', () => {
  let place: Place
  let service: ServiceProcess
  beforeAll(async () => {
    place = await openPlace()
    place.routine('tidy', { prompt: 'One' })
    for (const name of ['a', 'b', 'c']) place.routine(name)
    service = await place.start()
  })
  afterAll(async () => {
    await service[Symbol.asyncDispose]()
    place[Symbol.dispose]()
  })
  const overnight = async (...args: string[]) => {
    return place.overnight(args)
  }
  const read = async (...args: string[]): Promise<unknown> => JSON.parse((await overnight(...args, '--json')).stdout)
  const tidy = async () => ((await read('routines')) as RoutinesJson).routines.find(({ name }) => name === 'tidy')!
  const history = async () => (await read('history', 'tidy')) as HistoryJson

  test('are told, and an older one can be put in force until the file changes', async () => {
    const first = (await tidy()).hash
    place.routine('tidy', { prompt: 'Two' })
    const second = await vi.waitFor(async () => {
      const { hash } = await tidy()
      expect(hash).not.toBe(first)
      return hash
    }, 10_000)

    const back = await overnight('rollback', 'tidy')
    expect(back.stdout).toBe(`in force: tidy ${first.slice(0, 12)}\n`)
    expect(back.stderr).toContain('until it changes, or overnight rollback tidy --undo')
    expect(await tidy()).toMatchObject({ hash: first, rolledBackFrom: second })
    expect((await overnight('routines')).stdout).toContain('rolled back · Writes a note')
    const fired = (await read('fire', 'tidy')) as { run: string }
    expect(await (await service.fetch(`/runs/${fired.run}`)).text()).toContain(`<code>${first.slice(0, 12)}</code>`)

    expect(await read('rollback', 'tidy', '--undo')).toEqual({
      routine: 'tidy',
      hash: second,
      rolledBackFrom: null,
    })
    expect(await tidy()).toMatchObject({ hash: second, rolledBackFrom: null })
    await overnight('rollback', 'tidy', '--to', first.slice(0, 8))
    place.routine('tidy', { prompt: 'Three' })
    await vi.waitFor(async () => expect(await tidy()).toMatchObject({ rolledBackFrom: null }), 10_000)
    expect((await tidy()).hash).not.toBe(second)

    const { entries, inForce } = await history()
    expect(inForce).toBe((await tidy()).hash)
    expect(entries.map(({ act }) => act)).toEqual(['apply', 'rollback', 'undo_rollback', 'rollback', 'apply', 'apply'])
    const told = (await overnight('history', 'tidy')).stdout
    expect(told).toMatch(new RegExp(`in force +${inForce!.slice(0, 12)} [*]`))
    expect(told).toContain("the file's own again")
  })

  test('are refused with what to do', async () => {
    expect((await overnight('history', 'nope')).stderr).toContain('there is no routine "nope"')
    expect((await overnight('rollback', 'nope')).stderr).toContain('there is no routine in force "nope"')
    expect((await overnight('rollback', 'tidy', '--to', 'xyz')).stderr).toContain('the beginning of a hash')
    expect((await overnight('rollback', 'tidy', '--to', '0000', '--undo')).stderr).toContain('exclude each other')
  })

  test('a folder can be planned before it is in force', async () => {
    const folder = join(place.folder, 'planned', 'routines')
    cpSync(place.routines, folder, { recursive: true })
    expect((await overnight('plan', folder)).stdout).toBe('0 added, 0 changed, 0 removed, 0 broken, 4 unchanged\n')
    rmSync(join(folder, 'a.md'))
    writeFileSync(
      join(folder, 'b.md'),
      readFileSync(join(folder, 'b.md'), 'utf8').replace('Writes a note', 'Writes two'),
    )
    writeFileSync(join(folder, 'bad.md'), '---\nnope: 1\n---\n')
    const planned = await overnight('plan', folder)
    expect(planned.code).toBe(1)
    expect(planned.stdout).toContain('- a (removed)')
    expect(planned.stdout).toContain('Writes [-a note-]{+two+}')
    expect(planned.stdout).toContain('bad.md:2:1: unknown key "nope"')
    expect(planned.stdout).toContain('0 added, 1 changed, 1 removed, 1 broken, 2 unchanged')
    expect(JSON.parse((await overnight('plan', folder, '--json')).stdout)).toMatchObject({ counts: { changed: 1 } })
    const beside = join(place.folder, 'planned', 'webhooks')
    mkdirSync(beside)
    writeFileSync(join(beside, 'sentry.yaml'), 'verify: sentry\nsecret: secret:SENTRY\n')
    expect((await overnight('plan', folder)).stdout).toContain('+ webhooks/sentry (added)\n    proof    sha256')
    expect((await overnight('plan', folder, '--markdown')).stdout).toContain('if this were merged')
    expect((await overnight('plan', join(folder, 'nowhere'))).stderr).toContain('there is no such folder')
    expect(((await read('routines')) as RoutinesJson).total).toBe(4)
  })

  test('a plan that has nothing to compare with says so, and makes no data folder', async () => {
    const env = { OVERNIGHT_DATA: join(place.folder, 'clone', '.overnight') }
    const plan = (...more: string[]) => place.overnight(['plan', ...more], { env })
    const planned = await plan()
    expect(planned.stdout).toMatch(/^\+ a \(added\)\n[^]*4 added, 0 changed, 0 removed, 0 broken, 0 unchanged/)
    expect(planned.stderr).toContain(
      `compared with nothing: no service answers here, and nothing is in force in ${env.OVERNIGHT_DATA}`,
    )
    expect(planned.stderr).toContain('set OVERNIGHT_DATA')
    expect(JSON.parse((await plan('--json')).stdout)).toMatchObject({ counts: { added: 4 } })
    expect(existsSync(env.OVERNIGHT_DATA)).toBe(false)
    expect((await overnight('plan')).stderr).toBe('')
  })

  test('lists come a page at a time', async () => {
    const page = async (...args: string[]) => (await read('routines', ...args)) as RoutinesJson
    const first = await page('--limit', '3')
    expect(first).toMatchObject({ total: 4, after: 'c' })
    const second = await page('--limit', '3', '--after', 'c')
    expect([...first.routines, ...second.routines].map(({ name }) => name)).toEqual(['a', 'b', 'c', 'tidy'])
    expect(second.after).toBeNull()
    expect((await overnight('routines', '--limit', '2')).stderr).toContain(
      '4 in all: overnight routines --limit 2 --after b',
    )
    expect((await overnight('routines', '--limit', '0')).code).toBe(1)
  })
})
