// A worker process for tests: prints a line a job that it takes, and holds those of runs called `held-…` for ever.
import { createLog } from '../../src/log.ts'
import { openQueue } from '../../src/queue/bullmq.ts'

const url = process.argv[2]!
const queue = await openQueue({
  backend: { kind: 'redis', url },
  log: createLog('warn'),
  concurrency: 2,
  lockMs: 1000,
  work: async (job, signal) => {
    process.stdout.write(`${job.runId}-${job.attempt}\n`)
    if (job.runId.startsWith('held-')) await new Promise((resolve) => signal.addEventListener('abort', resolve))
  },
})
process.stdout.write(`${queue.health()}\n`)
process.once('SIGTERM', () => void queue.close({ graceMs: 0 }))
