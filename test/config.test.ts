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
  const source = readFileSync(new URL('../src/environment.ts', import.meta.url), 'utf8')
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

test.each([
  ['https://GitHub.Acme.Example//', 'https://github.acme.example'],
  ['HTTPS://acme.ghe.com/', 'https://acme.ghe.com'],
  ['http://LOCALHOST:81', 'http://localhost:81'],
])('the address of GitHub is the same however it is written: %s', (written, url) => {
  expect(readConfig({ OVERNIGHT_GITHUB_URL: written }, '/work').github.url).toBe(url)
})

test.each([
  [{ OVERNIGHT_GITHUB_URL: 'https://ada:secret@github.com' }, /OVERNIGHT_GITHUB_URL holds more/],
  [{ OVERNIGHT_GITHUB_URL: 'https://git.acme.example/api/v3' }, /names \/api\/v3/],
  [{ ANTHROPIC_BASE_URL: 'http://gateway.acme.example/anthropic' }, /ANTHROPIC_BASE_URL .* in the open/],
  [{ ANTHROPIC_BASE_URL: 'http://127.0.0.1.acme.example' }, /in the open/],
  [{ ANTHROPIC_BASE_URL: 'https://key@gateway.acme.example' }, /ANTHROPIC_BASE_URL holds more/],
  [{ ANTHROPIC_BASE_URL: 'https://gateway.acme.example/?key=secret' }, /ANTHROPIC_BASE_URL holds more/],
  [{ ANTHROPIC_BASE_URL: 'https://gateway.acme.example/#x' }, /ANTHROPIC_BASE_URL holds more/],
])('an address that credentials go to is one and nothing else: %j', (env, says) => {
  expect(() => readConfig(env, '/work')).toThrow(SetupError)
  expect(() => readConfig(env, '/work')).toThrow(says)
  expect(() => readConfig(env, '/work')).not.toThrow(/secret/)
})

test('a gateway for the model may have a path, and one on this machine may go without TLS', () => {
  const modelAt = (written: string) => readConfig({ ANTHROPIC_BASE_URL: written }, '/work').model.baseUrl
  expect(modelAt('https://gateway.acme.example/anthropic/')).toBe('https://gateway.acme.example/anthropic')
  for (const here of ['http://127.0.0.2:8080', 'http://[::1]:8080', 'http://localhost:8080'])
    expect(modelAt(here)).toBe(here)
})

test('git goes through a proxy where Node does', () => {
  const proxyOf = (env: Record<string, string>) => readConfig(env, '/work').github.proxy
  const url = 'http://proxy.acme.example:3128'
  expect(proxyOf({ HTTPS_PROXY: url })).toBeUndefined()
  expect(proxyOf({ HTTPS_PROXY: url, NODE_USE_ENV_PROXY: '1' })).toEqual({ url, except: '' })
  expect(proxyOf({ https_proxy: url, NO_PROXY: 'localhost', NODE_USE_ENV_PROXY: '1' })).toEqual({
    url,
    except: 'localhost',
  })
})

test('hosts that may be private are read as a URL has them, and nothing but hosts', () => {
  const hosts = (written: string) => readConfig({ OVERNIGHT_ALLOW_HOSTS: written }, '/work').allowedHosts
  expect(hosts(' Jira.Internal , 10.0.0.5:8080,[::1]:81,BÜCHER.example,0x7f.1,')).toEqual([
    'jira.internal',
    '10.0.0.5:8080',
    '[::1]:81',
    'xn--bcher-kva.example',
    '127.0.0.1',
  ])
  for (const wrong of ['*', '*.internal', 'https://jira.internal', 'jira/x', 'a b', '10.0.0.0/8', 'jira:http', '::1'])
    expect(() => hosts(`good.example,${wrong}`)).toThrow(`OVERNIGHT_ALLOW_HOSTS names ${JSON.stringify(wrong)}`)
})
