import { once } from 'node:events'
import { createRedisBackend } from 'bullmq'
import { Redis, type RedisOptions } from 'ioredis'
import type { Log } from '../log.ts'
import type { Backend } from './backend.ts'
import { addressOf, readSafety } from './redis-safety.ts'

/** A server that is silent this long on an open connection is taken for gone; longer than any answer may take. */
const socketTimeout = 45_000

/** A start does not wait longer for the first answer. */
const knownMs = 5000

const common = {
  connectTimeout: 10_000,
  keepAlive: 10_000,
  socketTimeout,
  retryStrategy: (times: number) => Math.min(times * 200, 2000),
} satisfies RedisOptions

/** Redis or Valkey. Nothing here waits for the server: it may come later. */
export function openRedis(url: string, log: Log): Backend {
  // Whoever hands out a job learns within seconds that it cannot; the ledger owes it still.
  const producer = new Redis(url, {
    ...common,
    connectionName: 'overnight',
    commandTimeout: 5000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  })
  // BullMQ asks for `null`: a worker's command waits for as long as the server is away. They are as many as its jobs.
  const consumer = new Redis(url, { ...common, connectionName: 'overnight-worker', maxRetriesPerRequest: null })
  const said = new Set<string>()

  async function tellSafety(): Promise<void> {
    const { warnings, notes } = readSafety(await producer.info())
    for (const text of [...warnings, ...notes].filter((text) => !said.has(text))) {
      said.add(text)
      if (warnings.includes(text)) log.warn(`the queue at ${addressOf(url)}: ${text}`)
      else log.info(`the queue at ${addressOf(url)}: ${text}`)
    }
  }
  return {
    create: (name, options, more) =>
      createRedisBackend(
        name,
        {
          ...options,
          connection: more?.withBlockingConnection ? consumer : producer,
          // Its check asks once, and when the connection breaks at that moment it never works again; `tellSafety` asks.
          skipVersionCheck: true,
        },
        more,
      ),
    server: addressOf(url),
    // A blocked read is no load, and it notices a connection that died without a word.
    // A worker that stands still takes the call that would wake another one; so the others look by themselves this often.
    drainDelay: 2,
    async opened(ready) {
      const known = new AbortController()
      const failed = once(producer, 'error', { signal: AbortSignal.any([known.signal, AbortSignal.timeout(knownMs)]) })
      await Promise.race([ready, failed]).catch(() => {})
      known.abort()
    },
    whyNot: () => (producer.status === 'ready' ? undefined : 'it is not connected'),
    watch(outage) {
      for (const [side, client] of [
        ['giver', producer],
        ['taker', consumer],
      ] as const) {
        client.on('error', (error: Error) => outage.begin(side, error))
        client.on('reconnecting', () => outage.begin(side, new Error('the connection was lost')))
        client.on('ready', () => outage.end(side))
      }
      producer.on('ready', () => void tellSafety().catch(() => {}))
    },
    close() {
      for (const client of [producer, consumer]) {
        // After this nobody listens who could be told.
        client.removeAllListeners('reconnecting')
        client.disconnect()
      }
    },
  }
}
