import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { createCommandSource } from '../../src/secrets/command.ts'
import { createSecrets } from '../../src/secrets/index.ts'
import { createSeal } from '../../src/secrets/seal.ts'
import { nobody, type HostList, type SecretSource } from '../../src/secrets/secret-source.ts'
import { openFolder } from '../support/git-repository.ts'

describe('the command that gives secrets', () => {
  const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent' }
  const sh = (script: string, rest: { limitMs?: number; now?: () => number } = {}) =>
    createCommandSource({ argv: ['/bin/sh', '-c', script, 'vault'], env, ...rest })
  const missing = (why: RegExp) => ({ missing: expect.stringMatching(why) as string })

  test('is asked with the name as one argument, without a shell, in an environment of its own', async () => {
    const source = sh(
      'printf "%s|%s|" "$#" "$1"; env | grep -v "^\\(PWD\\|_\\|SHLVL\\|OLDPWD\\)=" | sort | tr "\\n" " "',
    )
    expect(await source.find('A_KEY', nobody)).toEqual({ value: '1|A_KEY|HOME=/nonexistent PATH=/usr/bin:/bin ' })
    const odd = createCommandSource({ argv: ['/bin/echo', '$(id)', ';'], env })
    expect(await odd.find('B', nobody)).toEqual({ value: '$(id) ; B' })
  })

  test('one line end is cut; what has several lines keeps them', async () => {
    expect(await sh(String.raw`printf 'a\nb\n\n'`).find('A', nobody)).toEqual({ value: 'a\nb\n' })
  })

  test.each([
    ['an ending', 'echo no such item >&2; exit 3', /gave no A: no such item$/],
    ['an ending without words', 'exit 3', /gave no A: it ended with 3$/],
    ['words with controls', String.raw`printf 'x\n\033[31mred\n' >&2; exit 1`, /gave no A: \[31mred$/],
    ['nothing', 'exit 0', /it printed nothing$/],
    ['too much', 'yes', /it printed more than 64 KiB$/],
    ['a signal', 'kill -9 $$', /it ended with SIGKILL$/],
  ])('%s is a reason in one line', async (_what, script, why) => {
    expect(await sh(script).find('A', nobody)).toEqual(missing(why))
  })

  test('one that is not there, and one that takes too long with all it started', async () => {
    const none = createCommandSource({ argv: ['/nonexistent/vault'], env })
    expect(await none.find('A', nobody)).toEqual(missing(/\(\/nonexistent\/vault\) gave no A: spawn .*ENOENT$/))
    const slow = sh('setsid sleep 60 & sleep 60', { limitMs: 100 })
    expect(await slow.find('A', nobody)).toEqual(missing(/it took too long$/))
  })

  test('an answer is kept for minutes, a failure is not, and those who ask at once share one', async () => {
    using folder = openFolder()
    const [count, ready] = [join(folder.path, 'count'), join(folder.path, 'ready')]
    let at = 0
    const source = sh(`echo x >> '${count}'; cat '${ready}'`, { now: () => at })
    const asked = () => readFileSync(count, 'utf8').length / 2
    expect(await source.find('A', nobody)).toEqual(missing(/ready/))
    writeFileSync(ready, 'one')
    const both = await Promise.all([source.find('A', nobody), source.find('A', nobody)])
    expect(both).toEqual([{ value: 'one' }, { value: 'one' }])
    expect(asked()).toBe(2)
    writeFileSync(ready, 'two')
    at = 4 * 60_000
    expect(await source.find('A', nobody)).toEqual({ value: 'one' })
    at = 6 * 60_000
    expect(await source.find('A', nobody)).toEqual({ value: 'two' })
    expect(asked()).toBe(3)
  })

  test('is written as words or as JSON, and is no secret of its own', () => {
    const read = (written: string) => readConfig({ OVERNIGHT_SECRET_COMMAND: written }, '/')
    expect(read(' op  read -n ')).toMatchObject({ secretCommand: ['op', 'read', '-n'], secrets: {} })
    expect(read('["/my vault/get", "-n"]').secretCommand).toEqual(['/my vault/get', '-n'])
    for (const bad of ['["a"', '[]', '[1]']) expect(() => read(bad)).toThrow(/OVERNIGHT_SECRET_COMMAND/)
  })
})

test('each key that stored secrets are encrypted with is long', () => {
  const read = (written: string) => readConfig({ OVERNIGHT_SECRETS_KEY: written }, '/').secretsKey
  const [newer, older] = ['n'.repeat(32), 'o'.repeat(32)]
  for (const good of [newer, `${newer} ${older}`, `${newer}\n`]) expect(read(good)).toBe(good)
  for (const bad of ['short', `short ${older}`, `${newer} short`, 'n '.repeat(32), ' '.repeat(40)])
    expect(() => read(bad)).toThrow(/at least 32 characters in each key/)
})

const source = (known: Record<string, Awaited<ReturnType<SecretSource['find']>>>): SecretSource => ({
  find: async (name) => known[name],
})

test('the first source that knows a name decides; what is given out is learnt', async () => {
  const learnt: unknown[] = []
  const { secretOf } = createSecrets(
    [source({ B: { missing: 'locked' } }), source({ A: { value: 'one' }, B: { value: 'two' } })],
    {
      learn: (secret) => learnt.push(secret),
      advice: (name) => `write ${name}`,
    },
  )
  expect(await secretOf('A')).toEqual({ value: 'one' })
  expect(await secretOf('B')).toEqual({ missing: 'locked' })
  expect(await secretOf('C')).toEqual({ missing: 'write C' })
  expect(learnt).toEqual([{ name: 'A', value: 'one' }])
})

test('hosts count for the value they came with, or for the operator’s own', async () => {
  const list = (listed: Record<string, string[]>): HostList => ({ hostsOf: async (name) => listed[name] })
  const { hostsOf } = createSecrets([], {
    lists: [list({ OURS: ['a.example'] }), list({ OURS: ['b.example'], STORED: ['c.example'] })],
    advice: (name) => `write ${name}`,
  })
  expect(await hostsOf('OURS', {})).toEqual(['a.example'])
  expect(await hostsOf('STORED', { hosts: ['d.example'] })).toEqual(['d.example'])
  expect(await hostsOf('STORED', { hosts: [] })).toEqual([])
  expect(await hostsOf('NONE', {})).toEqual([])
})

describe('a sealed value', () => {
  const bound = fc.record({
    name: fc.constantFrom('A', 'B'),
    routine: fc.constantFrom('', 'a', 'b'),
    repository: fc.constantFrom('', 'a', 'b'),
    hosts: fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 }),
  })
  const [seal, other] = [createSeal('k'.repeat(32)), createSeal('o'.repeat(32))]

  test('is opened with its key, its name, its scope and its hosts, and with nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), bound, bound, (value, mine, others) => {
        const sealed = seal.seal(value, mine)
        const isSame = JSON.stringify(Object.entries(mine).sort()) === JSON.stringify(Object.entries(others).sort())
        expect(seal.open(sealed, others)).toBe(isSame ? value.toWellFormed() : undefined)
        expect(other.open(sealed, mine)).toBeUndefined()
      }),
    )
  })

  test('is never the same twice, and one that was changed or cut opens no more', () => {
    const at = { name: 'A', routine: '', repository: '', hosts: [] }
    const sealed = seal.seal('the value', at)
    expect(seal.seal('the value', at)).not.toEqual(sealed)
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed)
      changed[index]! ^= 1
      expect(seal.open(changed, at)).toBeUndefined()
      expect(seal.open(sealed.subarray(0, index), at)).toBeUndefined()
    }
  })

  test('while the key is changed both open, and the new one seals', () => {
    const at = { name: 'A', routine: '', repository: '', hosts: [] }
    const changing = createSeal(`${'n'.repeat(32)} ${'k'.repeat(32)}`)
    expect(changing.open(seal.seal('old', at), at)).toBe('old')
    expect(createSeal('n'.repeat(32)).open(changing.seal('new', at), at)).toBe('new')
    expect(() => createSeal('  ')).toThrow(/no key/)
  })
})
