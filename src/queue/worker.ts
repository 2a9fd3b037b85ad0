import { setImmediate as macrotask } from 'node:timers/promises'
import { withBackend } from 'bullmq'
import { messageOf } from '../errors.ts'
import { createAtWork } from './at-work.ts'
import { calmly, type Backend } from './backend.ts'
import type { QueueTools } from './bullmq.ts'
import type { Outage } from './outage.ts'
import { usualStopMs, type Closing, type Job, type Work } from './queue.ts'
import { name, prefix, remembered } from './settings.ts'

/** A worker whose connection is refused tries again after this. */
const retryMs = 1000

/** Takes jobs of the queue to this process, as many at the same time as the concurrency. */
export function startWorker(
  tools: QueueTools & { work: Work },
  { backend, outage }: { backend: Backend; outage: Outage },
) {
  const { log, lockMs = 60_000 } = tools
  const atWork = createAtWork()
  const state = { paused: false, closed: false }
  const forgotten = new Set<string>()

  async function deliver(job: { id?: string | undefined; data: Job }): Promise<void> {
    // It was on its way when the pause began. Failed, it is a new attempt elsewhere or later.
    if (state.paused) throw new Error('delivered to a worker that is stopping')
    const id = job.id ?? ''
    await atWork.run(id, job.data, (signal) => tools.work(job.data, signal)).finally(() => forgotten.delete(id))
  }
  const { Worker } = withBackend(calmly(backend.create, { outage, mayTake: () => !state.paused }))
  const worker = new Worker<Job>(name, deliver, {
    connection: backend,
    prefix,
    concurrency: tools.concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    drainDelay: backend.drainDelay,
    runRetryDelay: retryMs,
    maxStalledCount: 0,
    maxStartedAttempts: 1,
    removeOnComplete: remembered,
    removeOnFail: remembered,
  })
  worker.on('error', (error) => {
    // Told otherwise: in the outage, or below.
    if (state.closed || outage.isOn() || isForgotten(error))
      log.debug({ error: messageOf(error) }, 'the queue reports an error')
    else log.warn({ error: messageOf(error) }, 'the queue reports an error')
  })
  worker.on('lockRenewalFailed', (ids: string[]) => {
    for (const id of ids.filter((id) => atWork.has(id) && !forgotten.has(id))) {
      forgotten.add(id)
      log.info({ job: id }, 'the queue has forgotten a job at work; it goes on, its lease in the ledger decides')
    }
  })
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
  return {
    ready: () => worker.waitUntilReady(),
    cancel: (runId: string) => atWork.stop((_, job) => job.runId === runId, 'cancelled'),
    pause,
    /** Gives the jobs at work `graceMs`, then fires their signals; `stopMs` later it is over. */
    async stop({ graceMs, stopMs = usualStopMs }: Closing): Promise<void> {
      await pause()
      if (await atWork.ended(graceMs)) return
      atWork.stop(() => true, 'stopping')
      if (!(await atWork.ended(stopMs))) log.warn('work went on after its signal; it is left behind')
    },
    async close(): Promise<void> {
      state.closed = true
      await worker.close(true)
    },
  }
}

/** What BullMQ says of a job whose lock or entry is gone, when it renews the lock and when the work has ended. */
function isForgotten(error: Error & { code?: unknown }): boolean {
  return typeof error.code === 'number' || error.message.startsWith('could not renew lock')
}
