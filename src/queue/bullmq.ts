import type { EventEmitter } from 'node:events'
import { setImmediate as macrotask } from 'node:timers/promises'
import { createPostgresBackend, runMigrations, withBackend, type PgPool } from 'bullmq'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { createAtWork } from './at-work.ts'
import type { Job, Queue, Work } from './queue.ts'

export type QueueTools = {
  /** A `pg.Pool`, or what looks like one: the queue keeps its tables in the schema `bullmq` there. */
  pool: PgPool
  log: Log
  /** Jobs at work in this process at the same time. */
  concurrency: number
  /** A process that is silent this long has lost its jobs. Default 60 s. */
  lockMs?: number
  work: Work
  /** A job failed, stalled or vanished: a hint to look at the ledger, nothing more. */
  onFailed?: (job: Job | undefined) => void
}

const name = 'runs'
/** How long `close` waits for work whose signal has fired. */
const stopMs = 10_000
/** Long enough that a late second `enqueue` of an attempt finds the first one. */
const remembered = { age: 86_400, count: 5000 }
/**
 * Seconds that an idle worker sleeps: it is woken by NOTIFY, so this only bounds the harm of a lost one. Each waking
 * asks four queries, on our own thread.
 */
const drainDelay = 30

/**
 * The queue on BullMQ's PostgreSQL back-end. A second delivery of a run is always a new attempt from the reconciler:
 * BullMQ itself never delivers a job twice, also not one whose process died.
 */
export async function openQueue(tools: QueueTools): Promise<Queue> {
  const { pool, log, lockMs = 60_000 } = tools
  await migrateTables(pool)
  const bull = withBackend(createPostgresBackend)
  const queue = new bull.Queue<Job>(name, {
    connection: pool,
    defaultJobOptions: { attempts: 1, removeOnComplete: remembered, removeOnFail: remembered },
    // Nobody reads BullMQ's own events.
    streams: { events: { maxLen: 100 } },
  })
  tellErrors(queue, log)
  await queue.waitUntilReady()

  const atWork = createAtWork()
  const state = { paused: false, closing: undefined as Promise<void> | undefined }
  const closed = Promise.withResolvers<never>()
  closed.promise.catch(() => {})

  async function deliver(job: { id?: string | undefined; data: Job }): Promise<void> {
    // BullMQ wakes once more after its pause and takes what is there. Failed, it is a new attempt elsewhere or later.
    if (state.paused) throw new Error('delivered to a worker that is stopping')
    await atWork.run(job.id ?? '', job.data, (signal) => tools.work(job.data, signal))
  }
  const worker = new bull.Worker<Job>(name, deliver, {
    connection: pool,
    concurrency: tools.concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    drainDelay,
    maxStalledCount: 0,
    maxStartedAttempts: 1,
    removeOnComplete: remembered,
    removeOnFail: remembered,
  })
  tellErrors(worker, log)
  // BullMQ itself lets a job go on without its lock.
  worker.on('lockRenewalFailed', (ids: string[]) => atWork.stop((id) => ids.includes(id), 'lock_lost'))
  worker.on('failed', (job, error) => {
    log.warn({ run: job?.data.runId, error: messageOf(error) }, 'a queue job failed')
    tools.onFailed?.(job?.data)
  })

  async function pause(): Promise<void> {
    state.paused = true
    // It would wait for the jobs at work, without limit; that it asks for no more is all that is wanted.
    void worker.pause().catch(() => {})
    await macrotask()
  }
  async function close(graceMs: number): Promise<void> {
    await pause()
    if (!(await atWork.ended(graceMs))) {
      atWork.stop(() => true, 'stopping')
      if (!(await atWork.ended(stopMs))) log.warn('work went on after its signal; it is left behind')
    }
    closed.reject(new Error('the queue is closed'))
    await worker.close(true)
    await queue.close()
  }
  // BullMQ never answers a caller whose queue was closed meanwhile.
  const whileOpen = <T>(act: () => Promise<T>): Promise<T> =>
    Promise.race([closed.promise, state.closing ? closed.promise : act()])

  return {
    async enqueue(runId, attempt) {
      await whileOpen(() => queue.add('run', { runId, attempt }, { jobId: `${runId}-${attempt}` }))
    },
    cancel: (runId) => atWork.stop((_, job) => job.runId === runId, 'cancelled'),
    pause,
    empty: () => whileOpen(() => queue.obliterate({ force: true })),
    close: ({ graceMs }) => (state.closing ??= close(graceMs)),
  }
}

async function migrateTables(pool: PgPool): Promise<void> {
  const client = await pool.connect()
  try {
    await runMigrations(client)
  } finally {
    client.release()
  }
}

/** BullMQ's 'error' without a listener would end the process. */
function tellErrors(source: Pick<EventEmitter, 'on'>, log: Log): void {
  source.on('error', (error: Error) => log.error({ error: messageOf(error) }, 'the queue reports an error'))
}
