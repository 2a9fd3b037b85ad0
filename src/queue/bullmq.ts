import { withBackend, type PgPool } from 'bullmq'
import { messageOf } from '../errors.ts'
import { QueueUnavailable } from './unavailable.ts'
import type { Log } from '../log.ts'
import type { Backend } from './backend.ts'
import { createOutage } from './outage.ts'
import { openPostgres } from './postgres.ts'
import type { Closing, Job, Queue, Work } from './queue.ts'
import { openRedis } from './redis.ts'
import { name, prefix, remembered } from './settings.ts'
import { startWorker } from './worker.ts'

export type QueueTools = {
  backend:
    | {
        kind: 'postgres'
        /** A `pg.Pool`, or what looks like one, whose `search_path` leads to the schema `bullmq`: the tables are there. */
        pool: PgPool
      }
    | {
        kind: 'redis'
        /** Redis or Valkey, with credentials and TLS as the address says. One database of the server for one ledger. */
        url: string
      }
  log: Log
  /** Jobs at work in this process at the same time. */
  concurrency: number
  /** A process that is silent this long has lost its jobs. Default 60 s. */
  lockMs?: number
  /** Left out, this process only hands jobs to others. */
  work?: Work
  /** A job failed, stalled or vanished: a hint to look at the ledger, nothing more. */
  onFailed?: (job: Job | undefined) => void
  /** The server was away and is back: what it was not given meanwhile can be handed out now. */
  onBack?: () => void
}

/** After the server refused a job: nothing else tells that it takes them again when none comes. */
const refusedMs = 60_000

/**
 * The queue on BullMQ. A second delivery of a run is always a new attempt from the reconciler: BullMQ itself never
 * delivers a job twice, also not one whose process died.
 */
export async function openQueue(tools: QueueTools): Promise<Queue> {
  const { log } = tools
  const backend = await openBackend(tools)
  const outage = createOutage({ log, server: backend.server, onEnd: () => tools.onBack?.() })
  backend.watch(outage)
  const queue = new (withBackend(backend.create).Queue)<Job>(name, {
    connection: backend,
    prefix,
    defaultJobOptions: { attempts: 1, removeOnComplete: remembered, removeOnFail: remembered },
    // Nobody reads BullMQ's own events.
    streams: { events: { maxLen: 100 } },
  })
  // What goes wrong here is told to whoever enqueues; without a listener it would end the process.
  queue.on('error', () => {})
  const worker = tools.work && startWorker({ ...tools, work: tools.work }, { backend, outage })
  await backend.opened(Promise.all([queue.waitUntilReady(), worker?.ready()]))

  const state = { refusedAt: -refusedMs, closing: undefined as Promise<void> | undefined }
  const closed = Promise.withResolvers<never>()
  closed.promise.catch(() => {})

  async function close(closing: Closing): Promise<void> {
    await worker?.stop(closing)
    outage.close()
    closed.reject(new Error('the queue is closed'))
    await worker?.close()
    await queue.close()
    backend.close()
  }
  // BullMQ never answers a caller whose queue was closed meanwhile.
  const whileOpen = <T>(act: () => Promise<T>): Promise<T> =>
    Promise.race([closed.promise, state.closing ? closed.promise : act()])
  async function whileUp<T>(act: () => Promise<T>): Promise<T> {
    const whyNot = backend.whyNot()
    if (whyNot !== undefined) throw new QueueUnavailable(backend.server, whyNot)
    try {
      const answer = await act()
      state.refusedAt = -refusedMs
      return answer
    } catch (error) {
      state.refusedAt = performance.now()
      throw new QueueUnavailable(backend.server, messageOf(error))
    }
  }

  return {
    async enqueue(runId, attempt) {
      await whileOpen(() => whileUp(() => queue.add('run', { runId, attempt }, { jobId: `${runId}-${attempt}` })))
    },
    cancel: (runId) => worker?.cancel(runId) ?? false,
    pause: async () => worker?.pause(),
    empty: () => whileOpen(() => whileUp(() => queue.obliterate({ force: true }))),
    health: () => (outage.isOn() || performance.now() - state.refusedAt < refusedMs ? 'degraded' : 'ok'),
    close: (closing) => (state.closing ??= close(closing)),
  }
}

function openBackend({ backend, log }: QueueTools): Backend | Promise<Backend> {
  switch (backend.kind) {
    case 'postgres':
      return openPostgres(backend.pool)
    case 'redis':
      return openRedis(backend.url, log)
  }
}
