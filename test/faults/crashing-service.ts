import { existsSync, readFileSync, rmSync } from 'node:fs'
import process from 'node:process'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { openService } from '../../src/service.ts'

// A service that ends itself with SIGKILL when a run or an event reaches the step that is written in the file CRASH_AT: nothing is flushed,
// nothing said goodbye. The next one finds the file gone. SIGUSR2 empties its queue.
const crashAt = process.env['CRASH_AT']
const isTime = (step: string) => crashAt !== undefined && existsSync(crashAt) && readFileSync(crashAt, 'utf8') === step
const service = await openService(readConfig(process.env, process.cwd()), {
  log: createLog('info'),
  reached: (step) => {
    if (!isTime(step)) return
    rmSync(crashAt!)
    process.kill(process.pid, 'SIGKILL')
  },
})
const { url } = await service.listen()
// One after the other: the second of two at once finds the queue no longer paused, and refuses.
let emptied = Promise.resolve()
process.on('SIGUSR2', () => {
  emptied = emptied.then(() => service.emptyQueue()).then(() => console.error('the queue is empty'))
})
process.on('SIGTERM', () => void service[Symbol.asyncDispose]().then(() => process.exit()))
// Last: who reads it may send a signal at once, and one without a listener ends a process.
console.log(`Overnight is up at ${url}`)
