import { setTimeout as delay } from 'node:timers/promises'
import { createLog } from '../../src/log.ts'
import { createLedger } from '../../src/ledger/ledger.ts'
import { openStore } from '../../src/ledger/store.ts'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { createScheduler } from '../../src/triggers/schedule/scheduler.ts'

// One of many schedulers of a PostgreSQL: says `tick` before each, and is killed in the middle of it.
const databaseUrl = process.argv[2]!
const ledger = createLedger(await openStore({ databaseUrl, log: createLog('error') }))
const routineOf = ({ file, source }: { file: string; source: string }) =>
  parseOrRefuse(file, source, { defaultEngine: 'command', checkSchedule })
const scheduler = createScheduler({ ledger, routineOf, wake: () => {}, log: createLog('error') })
for (;;) {
  process.stdout.write('tick\n')
  await scheduler.tick()
  void scheduler.settle()
  await delay(5)
}
