import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { openQueue } from '../../src/queue/bullmq.ts'
import { addressOf, probeRedis, readSafety } from '../../src/queue/redis-safety.ts'
import { listen } from '../contract/queue-server.ts'
import { createCertificate } from '../support/certificate.ts'
import { openFolder } from '../support/git-repository.ts'
import { need } from '../support/need.ts'
import { redisMissing, startRedis } from '../support/redis.ts'

const safe = {
  redis_version: '7.0.15',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
  role: 'master',
  cluster_enabled: '0',
}
const info = (more: Record<string, string> = {}) =>
  Object.entries({ ...safe, ...more })
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('')

describe('what a server says of itself', () => {
  test('a safe one', () => {
    expect(readSafety(info())).toEqual({ version: 'Redis 7.0.15', warnings: [], notes: [] })
    expect(readSafety(info({ redis_version: '7.2.4', valkey_version: '8.1.0' })).version).toBe('Valkey 8.1.0')
  })

  test.for([
    [{ maxmemory_policy: 'allkeys-lru' }, 'maxmemory-policy is allkeys-lru'],
    [{ maxmemory_policy: 'volatile-ttl' }, 'set noeviction'],
    [{ redis_version: '5.0.14' }, 'version 5.0.14 is too old'],
    [{ redis_version: '6.0.16' }, 'too old'],
    [{ role: 'slave' }, 'the address of the primary'],
    [{ cluster_enabled: '1' }, 'one node of a cluster'],
  ] as const)('%o', ([more, text]) => {
    const { warnings, notes } = readSafety(info(more))
    expect(warnings).toEqual([expect.stringContaining(text)])
    expect(notes).toEqual([])
  })

  test('without an append-only file it is a note', () => {
    expect(readSafety(info({ aof_enabled: '0' }))).toMatchObject({
      warnings: [],
      notes: [expect.stringContaining('appendonly')],
    })
  })

  test('an answer that is something else', () => {
    expect(readSafety('').warnings.join()).toContain('too old')
    expect(readSafety('hello\nworld').version).toBe('Redis ?')
  })
})

test.for([
  ['redis://ada:secret@queue.example:6390/2', 'redis://queue.example:6390/2'],
  ['rediss://:secret@[::1]', 'rediss://[::1]:6379'],
  ['redis://localhost/', 'redis://localhost:6379'],
] as const)('an address for people: %s', ([url, address]) => {
  expect(addressOf(url)).toBe(address)
})

const redis = need(redisMissing('redis'))
describe.skipIf(redis.skip)(`a real server${redis.note}`, () => {
  test('an unsafe one warns at the start, once, and when asked', async () => {
    await using server = await startRedis({ settings: { 'maxmemory-policy': 'allkeys-lru', appendonly: 'no' } })
    const { log, said } = listen()
    const queue = await openQueue({ backend: { kind: 'redis', url: server.url }, log, concurrency: 1 })
    await vi.waitFor(() => expect(said).toHaveLength(2))
    expect(said[0]).toMatchObject({ level: 40, msg: expect.stringContaining('maxmemory-policy is allkeys-lru') })
    expect(said[1]).toMatchObject({ level: 30, msg: expect.stringContaining('appendonly yes') })
    await server.stop('SIGKILL')
    await server.start()
    await vi.waitFor(() => expect(queue.health()).toBe('ok'), 10_000)
    await queue.enqueue('run-a', 1)
    expect(said.filter(({ msg }) => msg.includes('maxmemory-policy'))).toHaveLength(1)
    await queue.close({ graceMs: 0 })
    expect(await probeRedis(server.url)).toMatchObject({
      version: expect.stringMatching(/^Redis 7\./),
      warnings: [expect.stringContaining('allkeys-lru')],
      notes: [expect.stringContaining('append-only')],
    })
  })

  test('a managed one, which refuses CONFIG, and one that refuses INFO, too', async () => {
    await using server = await startRedis()
    await server.ask('ACL', 'SETUSER', 'managed', 'on', '>pw', '~*', '&*', '+@all', '-config')
    await server.ask('ACL', 'SETUSER', 'closed', 'on', '>pw', '~*', '&*', '+@all', '-info')
    const as = (user: string) => server.url.replace('redis://', `redis://${user}:pw@`)
    expect(await probeRedis(as('managed'))).toMatchObject({ warnings: [], notes: [] })
    expect(await probeRedis(as('closed'))).toMatchObject({
      version: 'of unknown version',
      warnings: [expect.stringContaining('see to it that maxmemory-policy is noeviction')],
    })
  })

  test('a wrong password is told without the password', async () => {
    await using server = await startRedis({ settings: { requirepass: 'right' } })
    const probed = await probeRedis(server.url.replace('right', 'guessed-wrong'))
    expect(probed).toEqual({ unreachable: expect.stringContaining('WRONGPASS') })
    expect(JSON.stringify(probed)).not.toContain('guessed')
    expect(await probeRedis(server.url.replace(':right@', ''))).toEqual({
      unreachable: expect.stringContaining('NOAUTH'),
    })
  })

  test('TLS: refused with a certificate nobody knows, taken with its authority', async () => {
    using folder = openFolder()
    const { key, certificate: cert } = createCertificate(folder.path)
    await using server = await startRedis({ tls: { key, cert } })
    expect(await probeRedis(server.url)).toEqual({
      unreachable: expect.stringMatching(/^rediss:.*self-signed certificate/),
    })
    const module = resolve(import.meta.dirname, '../../src/queue/redis-safety.ts')
    const script = `const { probeRedis } = await import(${JSON.stringify(module)}); console.log(JSON.stringify(await probeRedis(process.argv[1])))`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script, server.url], {
      env: { NODE_EXTRA_CA_CERTS: cert },
      encoding: 'utf8',
    })
    expect(JSON.parse(stdout)).toMatchObject({ version: expect.stringContaining('Redis 7.'), warnings: [] })
  })
})

describe('nobody there', () => {
  test('no server', async () => {
    expect(await probeRedis('redis://:pw@127.0.0.1:1')).toEqual({
      unreachable: 'redis://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
    })
  })

  test.for([
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['silence', ''],
  ] as const)('%s', { timeout: 15_000 }, async ([, answer]) => {
    await using server = createServer((socket) => {
      socket.on('error', () => {})
      if (answer) socket.once('data', () => socket.end(answer))
      else socket.resume()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const begun = performance.now()
    const { port } = server.address() as AddressInfo
    expect(await probeRedis(`redis://127.0.0.1:${port}`)).toEqual({
      unreachable: expect.stringContaining(`:${port}: `),
    })
    expect(performance.now() - begun).toBeLessThan(8000)
  })
})
