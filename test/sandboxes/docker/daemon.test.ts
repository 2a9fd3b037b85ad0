import { once } from 'node:events'
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttp } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { createLog } from '../../../src/log.ts'
import { whyNotStarted } from '../../../src/sandboxes/docker/abilities.ts'
import { createDaemon, explainDocker } from '../../../src/sandboxes/docker/daemon.ts'
import { createDockerDriver } from '../../../src/sandboxes/docker/docker.ts'
import { createSandboxOpener } from '../../../src/sandboxes/opener.ts'
import { createProcessDriver } from '../../../src/sandboxes/process.ts'

const limits = { memoryBytes: 2 ** 30, cpus: 1, processes: 100, diskBytes: 2 ** 30 }

async function ground() {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-daemon-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return {
    folder,
    driver: (address = `unix://${join(folder, 'sock')}`, firstAnswerMs = 5000) =>
      createDockerDriver({
        address,
        image: 'overnight-sandbox',
        data: folder,
        folder: join(folder, 'own'),
        limits,
        firstAnswerMs,
      }),
    async listen(server: Server) {
      server.listen(join(folder, 'sock'))
      await once(server, 'listening')
      onTestFinished(() => void server.close())
    },
  }
}

test('no socket there', async () => {
  const { driver } = await ground()
  expect(await driver().probe()).toMatch(/^there is no Docker daemon at unix:\/\/\/.*sock$/)
  await expect(driver().open({ run: 'r', mounts: [] })).rejects.toMatchObject({
    reason: 'no_sandbox',
    // It may be started again just now.
    retryable: true,
    hint: expect.stringContaining('start Docker'),
  })
  expect(await driver().reap(() => true)).toBe(0)
})

test('a file that is no socket', async () => {
  const { folder, driver } = await ground()
  await writeFile(join(folder, 'sock'), '')
  expect(await driver().probe()).toMatch(/nobody answers|is no socket/)
})

test.for([
  [404, 'text/html', '<h1>Not Found</h1>'],
  [200, 'application/json', '{"version":"7.0"}'],
  [200, 'text/plain', 'OK'],
  [500, 'application/json', '[]'],
] as const)('another service listens: %s %s', async ([status, type, body]) => {
  const { driver, listen } = await ground()
  await listen(createHttp((_request, response) => response.writeHead(status, { 'content-type': type }).end(body)))
  expect(await driver().probe()).toMatch(/what listens at .* is no Docker daemon/)
})

test('something listens that speaks no HTTP, or only hangs up', async () => {
  const mail = await ground()
  await mail.listen(createServer((socket) => void socket.on('error', () => undefined).end('220 mail.example.com\r\n')))
  expect(await mail.driver().probe()).toMatch(/is no Docker daemon|no whole answer/)
  const closes = await ground()
  await closes.listen(createServer((socket) => socket.destroy()))
  expect(await closes.driver().probe()).toMatch(/no whole answer/)
})

/** A daemon that says these of itself. */
const daemonThat = (version: object, info: object) =>
  createHttp((request, response) => {
    const said = request.url?.endsWith('/version') ? version : info
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said))
  })

test.for([
  [{ ApiVersion: '1.30' }, {}, /^the Docker daemon at unix:\S+ speaks API 1\.30, which is older than 1\.41$/, /20\.10/],
  [{ ApiVersion: 'newest' }, {}, /speaks API newest/, /20\.10/],
  [
    { ApiVersion: '1.47' },
    { SecurityOptions: ['name=seccomp,profile=builtin', 'name=rootless'] },
    /^the Docker daemon at unix:\S+ is rootless: /,
    /daemon that runs as root.*bubblewrap/,
  ],
] as const)('a daemon that is no use: %j %j', async ([version, info, message, hint]) => {
  const { driver, listen } = await ground()
  await listen(daemonThat(version, info))
  expect(await driver().probe()).toMatch(message)
  await expect(driver().open({ run: 'r', mounts: [] })).rejects.toMatchObject({
    reason: 'no_sandbox',
    retryable: false,
    hint: expect.stringMatching(hint) as string,
  })
})

test('one that takes what is said to it and never answers', async () => {
  const { driver, listen } = await ground()
  await listen(createServer((socket) => void socket.on('error', () => undefined).resume()))
  expect(await driver(undefined, 50).probe()).toMatch(/^the Docker daemon at unix:\S+ gave no whole answer$/)
})

test('what passes by itself is looked at again for the next run; what does not, not at once', async () => {
  const { driver, listen } = await ground()
  const one = driver()
  expect(await one.probe()).toMatch(/there is no Docker daemon/)
  let asked = 0
  await listen(createHttp((_request, response) => void response.end(`${(asked += 1)}`)))
  expect(await one.probe()).toMatch(/is no Docker daemon/)
  expect(await one.probe()).toMatch(/is no Docker daemon/)
  expect(asked).toBe(1)
})

test('what a routine asks for and is not there says itself what to do, and is tried again when that may help', async () => {
  const { driver } = await ground()
  const open = createSandboxOpener({ docker: driver(), process: createProcessDriver() }, createLog('silent'))
  const wish = { sandbox: 'docker', engine: { name: 'command' }, needsWalls: false, had: null } as const
  await expect(open(wish, { run: 'r', mounts: [] })).rejects.toMatchObject({
    reason: 'no_sandbox',
    message: expect.stringContaining('there is no Docker daemon at') as string,
    hint: expect.stringContaining('start Docker') as string,
    retryable: true,
  })
})

test.skipIf(process.getuid?.() !== 0)('a socket that the user of the service may not open', async () => {
  const { folder, listen } = await ground()
  await listen(daemonThat({}, {}))
  await chmod(join(folder, 'sock'), 0)
  // Root without the right to open everything.
  const argv = ['--bounding-set=-dac_override,-dac_read_search', '--', process.execPath]
  const fixture = join(import.meta.dirname, 'fixtures/probe-docker.ts')
  const env = { ...process.env, OVERNIGHT_TEST_DOCKER: `unix://${folder}/sock`, OVERNIGHT_TEST_DOCKER_FOLDER: folder }
  const { stdout } = await promisify(execFile)('setpriv', [...argv, fixture, folder], { env })
  expect(stdout).toBe(`the user of the service may not open unix://${folder}/sock\n`)
})

test.for([
  ['exec /usr/bin/env failed: Exec format error', /the image ours are for another processor/],
  ["/usr/bin/env: '/bin/sh': No such file or directory", /the image ours has no \/bin\/sh/],
  ['[FATAL tini (6)] exec /usr/bin/env failed: No such file or directory', /has no \/bin\/sh or no \/usr\/bin\/env/],
] as const)('an image that nothing starts in: %s', ([said, message]) => {
  expect(whyNotStarted(said, 'ours')).toMatchObject({
    missing: expect.stringMatching(message) as string,
    hint: expect.stringMatching(/build it/) as string,
    retryable: false,
  })
  expect(whyNotStarted('cannot allocate memory', 'ours')).toBeUndefined()
})

test('a question costs the same, however many others are open', async () => {
  const { folder, listen } = await ground()
  await listen(
    createHttp((request, response) => void (request.url?.includes('/wait') ? undefined : response.end('{}'))),
  )
  const daemon = createDaemon(`unix://${join(folder, 'sock')}`)
  const cost = async () => {
    const before = process.cpuUsage()
    for (let round = 0; round < 10; round += 1) await daemon.version()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
  await cost()
  const alone = await cost()
  const waits = Array.from({ length: 40 }, (_, index) => daemon.getContainer(`${index}`).wait())
  const together = await cost()
  expect(together).toBeLessThan(alone * 10 + 50)
  for (const wait of waits) wait.catch(() => undefined)
})

test('a daemon of another machine', async () => {
  const { driver } = await ground()
  expect(await driver('tcp://docker.example.com:2376').probe()).toMatch(/not of this machine/)
})

const place = { address: 'unix:///run/docker.sock', image: 'ours' }
const failed = (facts: object) => Object.assign(new Error('it failed'), facts)

test.for([
  [{ code: 'EACCES' }, /may not open/, /group docker/, false],
  [{ code: 'ECONNREFUSED' }, /is down/, /start Docker/, true],
  [{ code: 'ECONNRESET' }, /no whole answer/, /start Docker/, true],
  [{ code: 'ETIMEDOUT' }, /no whole answer/, /start Docker/, true],
  [
    { statusCode: 404, reason: 'no such container', json: { message: 'No such image: ours:latest' } },
    /the image ours is not there, and nothing is pulled/,
    /docker build --tag ours infra\/sandbox/,
    false,
  ],
  [
    { statusCode: 500, json: { message: 'write /var/lib: no space left on device' } },
    /disk of Docker is full/,
    /system df/,
    true,
  ],
  [
    { statusCode: 500, json: { message: 'OCI runtime create failed' } },
    /^Docker: OCI runtime create failed$/,
    /log/,
    true,
  ],
] as const)('what it means: %j', ([facts, message, hint, retryable]) => {
  expect(explainDocker(failed(facts), place)).toEqual({
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
    retryable,
  })
})
