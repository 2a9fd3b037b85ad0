import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { SetupError } from '../src/errors.ts'

const example = readFileSync(new URL('../.env.example', import.meta.url), 'utf8')
const lines = example
  .split('\n')
  .filter((line) => /^# OVERNIGHT_\w+=/.test(line))
  .map((line) => line.slice(2))

test('the example names exactly the variables that are read', () => {
  const source = readFileSync(new URL('../src/config.ts', import.meta.url), 'utf8')
  const read = [...source.matchAll(/^ {2}(OVERNIGHT_\w+):/gm)].map((match) => match[1])
  expect(lines.map((line) => line.split('=')[0]).sort()).toEqual(read.sort())
})

test('the values in the example are the defaults', () => {
  const given = Object.fromEntries(lines.map((line) => line.split('=')).filter(([, value]) => value !== '')) as Record<
    string,
    string
  >
  const { concurrency: _mine, ...written } = readConfig(given, '/work')
  const { concurrency: _machine, ...defaults } = readConfig({}, '/work')
  expect(written).toEqual(defaults)
})

test('every bad variable is named, with what to do', () => {
  const read = () => readConfig({ OVERNIGHT_PORT: '99999', OVERNIGHT_LOG: 'loud', OVERNIGHT_URL: 'ftp://x' }, '/work')
  expect(read).toThrow(SetupError)
  for (const name of ['OVERNIGHT_PORT', 'OVERNIGHT_LOG', 'OVERNIGHT_URL']) expect(read).toThrow(name)
})

test('folders are relative to where it was started', () => {
  const { routinesDir, paths } = readConfig({ OVERNIGHT_DATA: 'state' }, '/srv/overnight')
  expect([routinesDir, paths.data, paths.ledger]).toEqual([
    '/srv/overnight/routines',
    '/srv/overnight/state',
    '/srv/overnight/state/ledger',
  ])
})

test('a token for GitHub is not sent in the open; a variable without a value is not set', () => {
  expect(() => readConfig({ OVERNIGHT_GITHUB_URL: 'http://git.acme.example' }, '/work')).toThrow(/in the open/)
  expect(readConfig({ OVERNIGHT_GITHUB_URL: 'http://127.0.0.1:81/', DATABASE_URL: '' }, '/work')).toMatchObject({
    github: { url: 'http://127.0.0.1:81', auth: undefined },
    databaseUrl: undefined,
  })
})

test.each([
  [{ REDIS_URL: 'redis://127.0.0.1' }, /DATABASE_URL/],
  [{ OVERNIGHT_GITHUB_APP_ID: '7' }, /OVERNIGHT_GITHUB_APP_KEY_FILE/],
  [{ DATABASE_URL: 'mysql://127.0.0.1/x' }, /DATABASE_URL/],
])('half a setting says what is missing: %j', (env, says) => {
  expect(() => readConfig(env, '/work')).toThrow(says)
})
