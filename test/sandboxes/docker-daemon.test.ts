import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttp } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createDaemon, explainDocker } from '../../src/sandboxes/docker-daemon.ts'
import { createDockerDriver } from '../../src/sandboxes/docker.ts'

const limits = { memoryBytes: 2 ** 30, cpus: 1, processes: 100, diskBytes: 2 ** 30 }

async function ground() {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-daemon-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return {
    folder,
    driver: (address = `unix://${join(folder, 'sock')}`) =>
      createDockerDriver({ address, image: 'overnight-sandbox', folder: join(folder, 'own'), limits }),
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
    retryable: false,
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
