import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, realpathSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCrew, type Crew, until } from '../support/crew.ts'

const value = 'kx-Zq7Lw9mT4vR2pY8'
const base64 = Buffer.from(`user:${value}`).toString('base64')

describe('a secret that an agent came by', () => {
  let crew: Crew
  beforeAll(async () => {
    crew = await openCrew({ OVERNIGHT_SECRET_DEPLOY: value })
    writeFileSync(join(crew.place.routines, 'loot'), value)
  })
  afterAll(() => crew[Symbol.asyncDispose]())
  /** As a word of a shell. */
  const loot = () => `'${join(crew.place.routines, 'loot')}'`

  test('is in no transcript, title, message or log, though it is told in pieces', async () => {
    const sh = `head -c 7 ${loot()}; tail -c +8 ${loot()}; echo; printf "user:%s" $(cat ${loot()}) | base64 -w 20
      echo "The key was $(cat ${loot()}) all along"
      echo "key: $(cat ${loot()})" > config.yml`
    const ended = await crew.run('routines/teller', { sh })
    const said = await crew.said(ended.run)
    expect(said).toContain('[secret DEPLOY]\n')
    expect(said).toContain('The key was [secret DEPLOY] all along')
    expect(JSON.stringify(ended)).not.toContain(value)
    expect(ended).toMatchObject({ state: 'needs_approval', findings: [{ rule: 'secret', path: 'config.yml' }] })
    expect(await crew.diff(ended.run)).toContain('+key: [secret DEPLOY]\n')
    const failed = await crew.run('routines/failing', { sh: `cat ${loot()} >&2; exit 3` })
    expect(failed.message).toContain('saying “[secret DEPLOY]”')
    for (const hidden of [value, base64.slice(8, -4)]) expect(filesWith(crew.place.data, hidden)).toEqual([])
    expect(crew.service.log()).not.toContain(value)
  })

  test('and one that is stored is encrypted, listed without its value, and kept out of everything from then on', async () => {
    const { overnight, data } = crew.place
    const key = 'first line of a key\nqW8-zX4vB7nM2kL9\nlast line'
    const set = (...more: string[]) => overnight(['secret', 'set', 'SIGNING', ...more], { input: `${key}\n` })
    expect(await set('--hosts', 'ci.example,CI.internal:8443')).toMatchObject({
      code: 0,
      stdout: 'stored: SIGNING, every routine\n',
    })
    const { env, folder } = crew.place
    const program = join(import.meta.dirname, '../../src/overnight.js')
    const argv = [program, 'secret', 'set', 'SIGNING', '--repository', 'acme/shop']
    const said = execFileSync(process.execPath, argv, { input: key, env, cwd: folder, encoding: 'utf8' })
    expect(said).toBe(
      'stored: SIGNING, every routine in acme/shop; it is sent to no host yet: --hosts api.example.com\n',
    )
    const listed = await overnight(['secret', 'list', '--json'])
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { name: 'SIGNING', routine: null, repository: null, hosts: ['ci.example', 'ci.internal:8443'], by: 'cli' },
      { name: 'SIGNING', routine: null, repository: 'acme/shop', hosts: [] },
    ])
    expect((await overnight(['secret', 'list'])).stdout).toMatch(/SIGNING +every routine +ci.example ci.internal:8443/)
    writeFileSync(join(crew.place.routines, 'loot'), `${key} ${Buffer.from(key).toString('hex')}`)
    const ended = await crew.run('routines/another', { sh: `cat ${loot()}` })
    expect(await crew.said(ended.run)).toBe('[secret SIGNING] [secret SIGNING]')
    expect(filesWith(data, 'qW8-zX4vB7nM2kL9')).toEqual([])
    expect(statSync(join(data, 'secrets-key')).mode & 0o777).toBe(0o600)

    const told = await crew.run('told', { sh: 'cat "$OVERNIGHT_PROMPT_FILE"', prompt: `Use ${key}.` })
    expect(await crew.said(told.run)).toBe('Use [secret SIGNING].')
    expect(await overnight(['secret', 'remove', 'SIGNING'])).toMatchObject({ code: 0, stdout: 'removed: SIGNING\n' })
    expect(await overnight(['secret', 'remove', 'SIGNING'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no secret "SIGNING"/) as string,
    })
  })

  test('one for a repository is for the one that the path or the address leads to, from whatever folder', async () => {
    const { overnight, folder } = crew.place
    const shop = crew.repository('corner')
    symlinkSync(shop, join(folder, 'link'))
    const stored = async (where: string) =>
      (await overnight(['secret', 'set', 'PLACED', '--repository', where, '--hosts', 'a.example'], { input: value }))
        .stdout
    const at = `stored: PLACED, every routine in ${realpathSync(shop)}\n`
    expect([await stored(relative(folder, shop)), await stored('./link')]).toEqual([at, at])
    const named = 'stored: PLACED, every routine in acme/shop\n'
    expect([await stored('git@github.com:acme/shop.git'), await stored('acme/shop')]).toEqual([named, named])
    const listed = (await overnight(['secret', 'list'])).stdout.split('\n').filter((line) => line.startsWith('PLACED'))
    expect(listed).toHaveLength(2)
    for (const where of ['./link', 'https://github.com/acme/shop'])
      expect(await overnight(['secret', 'remove', 'PLACED', '--repository', where])).toMatchObject({ code: 0 })
    const answer = await crew.service.fetch('/v1/secrets/PLACED', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ value, repository: '../shop' }),
    })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      detail: expect.stringMatching(/^repository: must be owner.name, an/) as string,
    })
  })

  test('and one that is changed while the run is at work is known within seconds', async () => {
    const [stop, rotated] = [join(crew.place.routines, 'stop'), 'pN3-wK8jH5gF1dS6']
    writeFileSync(join(crew.place.routines, 'loot'), rotated)
    const sh = `until [ -e '${stop}' ]; do cat ${loot()}; echo; sleep 0.1; done`
    const run = await crew.start('routines/patient', { sh })
    await crew.reaches(run, 'working')
    mkdirSync(join(crew.place.data, 'secrets'))
    writeFileSync(join(crew.place.data, 'secrets', 'ROTATED'), rotated, { mode: 0o600 })
    await until(15, async () => ((await crew.said(run)).includes('[secret ROTATED]') ? [] : ['the value']))
    writeFileSync(stop, '')
    expect(await crew.settled(run)).toMatchObject({ state: 'unchanged' })
  })

  test.each([
    ['nothing', ['set', 'A'], '', /no value on the standard input/],
    ['what is too short', ['set', 'A'], 'short\n', /8 bytes or more/],
    ['a name that is none', ['set', '../A'], value, /a letter and then letters, digits or _/],
    ['a routine that is not there', ['set', 'A', '--routine', 'nowhere'], value, /nowhere/],
    ['a host that is none', ['set', 'A', '--hosts', 'https://a.example'], value, /must be a host/],
  ])('%s is not stored', async (_what, args, input, why) => {
    const { code, stderr } = await crew.place.overnight(['secret', ...args], { input })
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(why) as string })
    expect(stderr).not.toContain(value)
  })
})

/** Files that hold a text, in which it was not put together from several pages. */
function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(folder, name)
    return statSync(path).isFile() && readFileSync(path).includes(text)
  })
}
