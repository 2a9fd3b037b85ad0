import { Command } from 'commander'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { addCheck } from '../../src/cli/check.ts'
import { readConfig } from '../../src/config.ts'
import { openFolder } from '../support/git-repository.ts'

async function check(files: Record<string, string>, args: readonly string[] = []) {
  using folder = openFolder()
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, name)), { recursive: true })
    await writeFile(join(folder.path, name), text)
  }
  const said = { code: 0, out: '' }
  const program = new Command()
  addCheck(program, {
    env: {},
    cwd: folder.path,
    config: () => readConfig({ OVERNIGHT_SECRET_SET: 'x', OVERNIGHT_ALLOW_HOSTS: 'listed.example' }, folder.path),
    out: (text) => void (said.out += text),
    err: () => {},
    exit: (code) => void (said.code = code),
    isTerminal: false,
    input: async () => '',
    onSignal: () => {},
  })
  await program.parseAsync(['check', ...args], { from: 'user' })
  return { ...said, out: said.out.replaceAll(folder.path, '<folder>') }
}
const routine = (webhook: string) =>
  `---\nrepository: .\nengine: { name: command, command: [x] }\non:\n  webhook: ${webhook}\n---\n`
const good = 'verify: sentry\nsecret: secret:SET\n'

test('webhook sources are checked with the routines, and what routines name must be there', async () => {
  const found = await check({
    'routines/a.md': routine('{ source: sentri }'),
    'routines/b.md': routine('[{ source: sentry }, { source: broken }]'),
    'webhooks/sentry.yaml': good,
    'webhooks/linear.yaml': 'verify: linear\nsecret: secret:NOT_SET\n',
    'webhooks/broken.yaml': 'verify: nobody\n',
  })
  expect(found.code).toBe(1)
  expect(found.out.split('\n')).toEqual([
    'webhooks/broken.yaml:1:9: "verify" cannot be "nobody" – known here: standard, github, gitlab, gitea, slack, stripe, linear, sentry, pagerduty, alertmanager, grafana, bearer',
    'warning: routines/a.md:5:14: there is no webhook source "sentri" – did you mean "sentry"?',
    'warning: webhooks/linear.yaml:1:1: secret:NOT_SET is not there – set OVERNIGHT_SECRET_NOT_SET, or write it to <folder>/.overnight/secrets/NOT_SET (mode 600), or store it: overnight secret set NOT_SET',
    '4 good, 1 error, 2 warnings',
    '',
  ])
})

test('a folder can be named, with webhooks/ beside it', async () => {
  const files = { 'ops/routines/a.md': routine('{ source: sentry }'), 'ops/webhooks/sentry.yaml': good }
  expect(await check(files, ['ops/routines'])).toEqual({ code: 0, out: '2 good, 0 errors, 0 warnings\n' })
  await expect(check(files, ['ops/routines', 'ops'])).rejects.toMatchObject({
    message: expect.stringMatching(/^ops(\/routines)? cannot be read/),
    hint: 'name routine files, webhook sources and connectors, or one folder of routines',
  })
})

test('without such a folder there is nothing to check; a file can be named', async () => {
  expect(await check({ 'routines/b.md': routine('{ source: x }') })).toMatchObject({
    code: 0,
    out: expect.stringContaining('there is no webhook source "x" – write webhooks/x.yaml') as string,
  })
  const named = await check({ 'sentry.yaml': good, 'bad.yml': 'x' }, ['sentry.yaml', 'bad.yml', '--json'])
  expect(named.code).toBe(1)
  expect(JSON.parse(named.out)).toEqual({
    routines: [],
    connectors: [],
    sources: [{ name: 'sentry', file: '<folder>/sentry.yaml' }],
    errors: [expect.objectContaining({ file: '<folder>/bad.yml', line: 1, column: 1 })],
    warnings: [],
  })
})

test('a secret that would be sent to a host that nobody listed for it', async () => {
  const poll = 'poll: { url: "https://ci.example/jobs", every: 1m, headers: { Authorization: "Bearer secret:SET" } }\n'
  const found = await check({ 'routines/.keep': '', 'webhooks/jobs.yaml': poll })
  expect(found).toMatchObject({
    code: 0,
    out: expect.stringContaining(
      'warning: webhooks/jobs.yaml:1:1: secret:SET is not sent to ci.example – list ci.example in OVERNIGHT_SECRET_SET_HOSTS',
    ) as string,
  })
})

test('an address that would not be asked here is refused, and allowed where the operator lists it', async () => {
  const at = (url: string) => `poll: { url: "${url}", every: 1m }\n`
  const files = {
    'routines/.keep': '',
    'webhooks/a.yaml': at('https://192.168.7.1/jobs'),
    'webhooks/b.yaml': at('http://ci.example/jobs'),
    'webhooks/b2.yaml': `poll: { url: "http://ci.example/", every: 1m, headers: { Authorization: "Bearer secret:SET" } }\n`,
    'webhooks/c.yaml': at('https://listed.example/jobs'),
    'webhooks/d.yaml': at('http://listed.example/jobs'),
  }
  const found = await check(files)
  expect(found.code).toBe(1)
  expect(found.out.split('\n')).toEqual([
    'webhooks/a.yaml:1:14: 192.168.7.1 is not a public address – use a public one, or list 192.168.7.1 in OVERNIGHT_ALLOW_HOSTS',
    'webhooks/b.yaml:1:14: ci.example would be asked in the open – write https://, or list ci.example in OVERNIGHT_ALLOW_HOSTS',
    'webhooks/b2.yaml:1:14: ci.example would be asked in the open – write https://, or list ci.example in OVERNIGHT_ALLOW_HOSTS; secrets go there when it is also in OVERNIGHT_SECRET_SET_HOSTS',
    '2 good, 3 errors, 0 warnings',
    '',
  ])
  expect(await check(files, ['webhooks/b.yaml', 'webhooks/d.yaml'])).toMatchObject({
    code: 1,
    out: expect.stringContaining('1 good, 1 error, ') as string,
  })
})

test('a name that is not signed, where no time is signed, is warned of', async () => {
  const own = (signed: string, more = '') =>
    `verify: { hmac: { header: X-Sig, signed: "${signed}"${more} } }\nsecret: secret:SET\nid: { header: X-Id }\n`
  const found = await check({
    'routines/.keep': '',
    'webhooks/open.yaml': own('{body}'),
    'webhooks/named.yaml': own('{id}.{body}', ', id: X-Id'),
    'webhooks/timed.yaml': own('{ts}.{body}', ', timestamp: { header: X-T }'),
    'webhooks/token.yaml': 'verify: bearer\nsecret: secret:SET\nid: { header: X-Id }\n',
    'webhooks/sentry.yaml': good,
    'webhooks/plain.yaml': own('{body}').replace('id: { header: X-Id }', 'id: { body: id }'),
  })
  expect(found.code).toBe(0)
  expect(found.out.split('\n')).toEqual([
    'warning: webhooks/open.yaml:1:1: the name in x-id is not signed: a copy under another name passes as a new delivery – take a name of the body (id: { body: … }), or sign it ({id} in signed) or the time ({ts})',
    '6 good, 0 errors, 1 warning',
    '',
  ])
})

test('connectors are checked with the routines: what routines name must be there, with the tools and the secrets', async () => {
  const connected = (connectors: string) =>
    `---\nrepository: acme/shop\nengine: { name: command, command: [x] }\nconnectors: ${connectors}\n---\n`
  const files = {
    'routines/a.md': connected('[linar]'),
    'routines/b.md': connected('[{ name: linear, tools: [search, delete] }, broken]'),
    'connectors/linear.yaml':
      'url: https://mcp.example/\nheaders: { Authorization: "Bearer secret:NOT_SET", X-Team: secret:SET }\ntools: [search]\n',
    'connectors/broken.yaml': 'url: https://10.0.0.1/mcp\n',
  }
  const found = await check(files)
  expect(found.code).toBe(1)
  expect(found.out.split('\n')).toEqual([
    'connectors/broken.yaml:1:6: 10.0.0.1 is not a public address – use a public one, or list 10.0.0.1 in OVERNIGHT_ALLOW_HOSTS',
    'routines/a.md:4:14: there is no connector "linar" – did you mean "linear"?',
    'routines/b.md:4:22: the connector linear does not allow the tool "delete" – known here: search',
    expect.stringMatching(
      /^warning: connectors\/linear.yaml:1:1: secret:NOT_SET is not there – set OVERNIGHT_SECRET_NOT_SET/,
    ),
    expect.stringMatching(
      /^warning: connectors\/linear.yaml:1:1: secret:SET is not sent to mcp.example – list mcp.example in /,
    ),
    '3 good, 3 errors, 2 warnings',
    '',
  ])
  const named = await check(files, ['connectors/linear.yaml', '--json'])
  expect(JSON.parse(named.out)).toMatchObject({ connectors: [{ name: 'linear' }], sources: [], errors: [] })
})
