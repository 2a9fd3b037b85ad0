import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { QueueUnavailable } from '../../src/queue/unavailable.ts'
import { openQueue, type QueueTools } from '../../src/queue/bullmq.ts'
import type { Job, Queue } from '../../src/queue/queue.ts'
import { listen, type Said } from '../contract/queue-server.ts'
import { need } from '../support/need.ts'
import { redisMissing, startRedis, type RedisServer, type RedisSetting } from '../support/redis.ts'

const redis = need(redisMissing('redis'))

type Ground = AsyncDisposable & { server: RedisServer; queue: Queue; seen: string[]; said: Said[]; back: () => void }

async function openGround(setting: RedisSetting = {}, more: Partial<QueueTools> = {}): Promise<Ground> {
  const server = await startRedis(setting)
  const { log, said } = listen()
  const seen: string[] = []
  const back = vi.fn<() => void>()
  const work = async (job: Job) => void seen.push(`${job.runId}-${job.attempt}`)
  const backend = { kind: 'redis', url: server.url } as const
  const queue = await openQueue({ backend, log, concurrency: 2, work, onBack: back, ...more })
  return {
    server,
    queue,
    seen,
    said,
    back,
    async [Symbol.asyncDispose]() {
      await queue.close({ graceMs: 0 })
      await server[Symbol.asyncDispose]()
    },
  }
}

/** A port whose bytes take their time, in both directions. */
async function openSlowPath(to: number, ms: number): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer((here) => {
    const there = connect(to, '127.0.0.1')
    for (const [from, into] of [
      [here, there],
      [there, here],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => setTimeout(() => into.writable && into.write(bytes), ms))
      from.on('error', () => {})
      from.on('close', () => into.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

const troubles = (said: Said[]) => said.filter(({ level }) => level >= 40).map(({ msg }) => msg)

/** How many commands the server was asked during this time, but for those of the counting. */
async function commandsIn(server: RedisServer, ms: number): Promise<number> {
  const count = async () =>
    Number(/total_commands_processed:(\d+)/.exec(String(await server.ask('INFO', 'stats')))?.[1])
  const [first, before] = [await count(), await count()]
  await wait(ms)
  return (await count()) - before - (before - first)
}

describe.skipIf(redis.skip)(`Redis that fails${redis.note}`, () => {
  test('nobody there at the start: it is said once, and runs flow when it comes', async () => {
    await using ground = await openGround({ stopped: true })
    const { server, queue, seen, said, back } = ground
    expect(queue.health()).toBe('degraded')
    await expect(queue.enqueue('run-a', 1)).rejects.toThrow(QueueUnavailable)
    await wait(1500)
    expect(said).toHaveLength(1)
    expect(said[0]!.msg).toContain('does not answer as it should')
    await server.start()
    await vi.waitFor(() => expect(back).toHaveBeenCalledTimes(1), 5000)
    await queue.enqueue('run-a', 1)
    await vi.waitFor(() => expect(seen).toEqual(['run-a-1']), 5000)
    expect(queue.health()).toBe('ok')
  })

  test('idle, it is asked seldom, with however many places', async () => {
    await using ground = await openGround({}, { concurrency: 8 })
    const { server, queue, seen } = ground
    await queue.enqueue('run-a', 1)
    await vi.waitFor(() => expect(seen).toEqual(['run-a-1']))
    await wait(500)
    // One look every two seconds, of eight commands each.
    expect(await commandsIn(server, 3000)).toBeLessThanOrEqual(24)
  })

  test('read-only, as after a fail-over: refused with its reason, said once, and asked seldom', async () => {
    await using ground = await openGround()
    const { server, queue, seen, said } = ground
    await queue.enqueue('run-b', 1)
    await vi.waitFor(() => expect(seen).toEqual(['run-b-1']))
    await server.ask('REPLICAOF', '127.0.0.1', 1)
    await expect(queue.enqueue('run-b', 2)).rejects.toThrow(/takes no jobs now: READONLY/)
    await server.ask('CLIENT', 'KILL', 'TYPE', 'normal')
    await vi.waitFor(() => expect(queue.health()).toBe('degraded'), 5000)
    await wait(1000)
    expect(await commandsIn(server, 2000)).toBeLessThan(60)
    expect(troubles(said)).toEqual([
      expect.stringContaining('does not answer as it should'),
      expect.stringContaining('it is a replica'),
    ])
    await server.ask('REPLICAOF', 'NO', 'ONE')
    await vi.waitFor(() => queue.enqueue('run-b', 3), 5000)
    await vi.waitFor(() => expect(seen).toEqual(['run-b-1', 'run-b-3']), 15_000)
    await vi.waitFor(() => expect(queue.health()).toBe('ok'), 10_000)
  })

  test('out of memory: refused with its reason, work goes on, and it takes jobs again when it has room', async () => {
    const gate = Promise.withResolvers<void>()
    const ended: string[] = []
    await using ground = await openGround(
      {},
      {
        work: async (job, signal) => {
          if (job.attempt === 1) await gate.promise
          ended.push(`${job.runId}-${job.attempt} ${signal.aborted}`)
        },
      },
    )
    const { server, queue } = ground
    await queue.enqueue('run-c', 1)
    await server.ask('CONFIG', 'SET', 'maxmemory', '1mb')
    await expect(queue.enqueue('run-d', 2)).rejects.toThrow(/takes no jobs now: .*OOM/)
    expect(queue.health()).toBe('degraded')
    gate.resolve()
    await vi.waitFor(() => expect(ended).toEqual(['run-c-1 false']))
    expect(await commandsIn(server, 1000)).toBeLessThan(60)
    await server.ask('CONFIG', 'SET', 'maxmemory', '0')
    await queue.enqueue('run-d', 3)
    await vi.waitFor(() => expect(ended).toEqual(['run-c-1 false', 'run-d-3 false']), 15_000)
    expect(queue.health()).toBe('ok')
  })

  test('slow by a second each way: everything flows, and nothing is said', async () => {
    await using server = await startRedis()
    await using slow = await openSlowPath(Number(new URL(server.url).port), 1000)
    const { log, said } = listen()
    const seen: string[] = []
    const queue = await openQueue({
      backend: { kind: 'redis', url: `redis://127.0.0.1:${slow.port}` },
      log,
      concurrency: 2,
      work: async (job) => void seen.push(job.runId),
    })
    await vi.waitFor(() => expect(queue.health()).toBe('ok'), 15_000)
    await vi.waitFor(() => queue.enqueue('run-s', 1), 15_000)
    await vi.waitFor(() => expect(seen).toEqual(['run-s']), 15_000)
    expect(said).toEqual([])
    await queue.close({ graceMs: 0 })
  })

  test('silent on open connections: nobody waits longer than some seconds', async () => {
    await using ground = await openGround()
    const { server, queue, seen } = ground
    await queue.enqueue('run-e', 1)
    await vi.waitFor(() => expect(seen).toEqual(['run-e-1']))
    server.signal('SIGSTOP')
    const begun = performance.now()
    await expect(queue.enqueue('run-f', 1)).rejects.toThrow(QueueUnavailable)
    expect(performance.now() - begun).toBeLessThan(7000)
    expect(queue.health()).toBe('degraded')
    server.signal('SIGCONT')
    // It may have arrived all the same: the same attempt again is the same delivery.
    await queue.enqueue('run-f', 1)
    await vi.waitFor(() => expect(seen).toEqual(['run-e-1', 'run-f-1']), 15_000)
  })

  test('a wrong password keeps the service waiting, and is told nowhere', async () => {
    await using server = await startRedis({ settings: { requirepass: 'right-horse' } })
    const { log, said } = listen()
    const url = server.url.replace('right-horse', 'wrong%2Fstaple')
    const queue = await openQueue({ backend: { kind: 'redis', url }, log, concurrency: 1, work: async () => {} })
    expect(queue.health()).toBe('degraded')
    const refused = await queue.enqueue('run-g', 1).catch((error: unknown) => error)
    expect(JSON.stringify([said, String(refused), refused])).not.toMatch(/staple/)
    expect(said[0]!.error).toContain('WRONGPASS')
    await queue.close({ graceMs: 0 })
  })

  test('credentials with odd characters and a database of its own', async () => {
    await using server = await startRedis({ settings: { requirepass: 'p/w?d#1' } })
    const { log } = listen()
    const seen: Job[] = []
    const backend = { kind: 'redis', url: `${server.url}/3` } as const
    const queue = await openQueue({ backend, log, concurrency: 1, work: async (job) => void seen.push(job) })
    await queue.enqueue('run-h', 1)
    await vi.waitFor(() => expect(seen).toHaveLength(1))
    expect(String(await server.ask('INFO', 'keyspace'))).toMatch(/^db3:keys=/m)
    await queue.close({ graceMs: 0 })
  })

  test('a process is killed with a job at work: the other one is told to look, and everything else flows', async () => {
    await using ground = await openGround({}, { lockMs: 1000, onFailed: (job) => void failed.push(job?.runId) })
    const failed: (string | undefined)[] = []
    const { server, queue, seen } = ground
    const child = spawn(process.execPath, [join(import.meta.dirname, 'take-jobs.ts'), server.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await vi.waitFor(() => expect(said).toBe('ok\n'), 10_000)
    const heldBy = () => said.match(/held-\S+/)?.[0]
    await vi.waitFor(
      async () => {
        await queue.enqueue(`held-${seen.length}`, 1)
        await wait(50)
        expect(heldBy()).toBeDefined()
      },
      { timeout: 10_000, interval: 10 },
    )
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    await vi.waitFor(() => expect(failed).toContain(heldBy()!.replace(/-1$/, '')), 10_000)
    expect(seen).not.toContain(heldBy())
    await queue.enqueue('run-i', 1)
    await vi.waitFor(() => expect(seen).toContain('run-i-1'))
  })
})
