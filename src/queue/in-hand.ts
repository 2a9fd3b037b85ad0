import { createAtWork } from './at-work.ts'
import { usualStopMs, type Queue, type Work } from './queue.ts'

/** Delivery inside this process, for a command that works on its own runs alone: nothing is kept, and nobody else takes part. */
export function createInHandQueue({ work }: { work: Work }): Queue {
  const atWork = createAtWork()
  const known = new Set<string>()
  const state = { paused: false, closed: false }
  const requireOpen = () => {
    if (state.closed) throw new Error('the queue is closed')
  }

  return {
    async enqueue(runId, attempt) {
      requireOpen()
      const id = `${runId}-${attempt}`
      if (known.has(id) || state.paused) return
      known.add(id)
      const job = { runId, attempt }
      // Whether the run has ended is the ledger's to say; a worker that throws has said so in its log.
      void atWork.run(id, job, (signal) => work(job, signal)).catch(() => {})
    },
    cancel: (runId) => atWork.stop((_, job) => job.runId === runId, 'cancelled'),
    async pause() {
      state.paused = true
    },
    async empty() {
      requireOpen()
      known.clear()
    },
    health: () => 'ok',
    async close({ graceMs, stopMs = usualStopMs }) {
      state.closed = true
      if (await atWork.ended(graceMs)) return
      atWork.stop(() => true, 'stopping')
      await atWork.ended(stopMs)
    },
  }
}
