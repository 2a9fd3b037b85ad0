import { describe } from 'vitest'
import { openQueue } from '../../src/queue/bullmq.ts'
import { queueContract } from '../contract/queue.ts'
import { queueServerContract, type QueueServer } from '../contract/queue-server.ts'
import { need } from '../support/need.ts'
import { redisMissing, startRedis, type RedisKind } from '../support/redis.ts'

async function openGround(kind: RedisKind): Promise<QueueServer> {
  const server = await startRedis({ kind })
  return {
    open: (setting) => openQueue({ backend: { kind: 'redis', url: server.url }, ...setting }),
    async dropLocks() {
      const keys = (await server.ask('KEYS', '{overnight}:runs:*:lock')) as string[]
      if (keys.length === 0) throw new Error('no job is at work')
      await server.ask('DEL', ...keys)
    },
    wipe: async () => void (await server.ask('FLUSHALL')),
    stop: (how) => server.stop(how === 'crash' ? 'SIGKILL' : 'SIGTERM'),
    start: () => server.start(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const redis = need(redisMissing('redis'))
// Debian 12 has no package of it, so nowhere is it a fault that it is missing.
const valkeyMissing = redisMissing('valkey')

describe.skipIf(redis.skip)(`Redis${redis.note}`, () => {
  queueContract('BullMQ on Redis', () => openGround('redis'))
  queueServerContract('BullMQ on Redis', () => openGround('redis'))
})
describe.skipIf(valkeyMissing !== undefined)(`Valkey (needs valkey-server)`, () => {
  queueContract('BullMQ on Valkey', () => openGround('valkey'))
  queueServerContract('BullMQ on Valkey', () => openGround('valkey'))
})
