import process from 'node:process'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { openWorkerProcess } from '../../src/service/worker-process.ts'

// A worker that, when a run reaches the step that CRASH_AT or STOP_AT names, ends itself with SIGKILL or stands still with
// SIGSTOP, once; it goes on when somebody sends SIGCONT, and knows nothing of the time between.
const { CRASH_AT: crashAt, STOP_AT: stopAt } = process.env
let stopped = false
const worker = await openWorkerProcess(readConfig(process.env, process.cwd()), {
  log: createLog('info'),
  reached: (step) => {
    if (step === crashAt) process.kill(process.pid, 'SIGKILL')
    if (step === stopAt && !stopped) {
      stopped = true
      console.log(`standing still at ${step}`)
      process.kill(process.pid, 'SIGSTOP')
    }
  },
})
process.on('SIGTERM', () => void worker[Symbol.asyncDispose]().then(() => process.exit()))
console.log('Overnight takes runs here')
