import { createLog } from '../../src/log.ts'
import { createScheduler, type SchedulerTools } from '../../src/triggers/schedule/scheduler.ts'

/** One beat of a scheduler from beginning to end: everything due is accepted, and has its outcome. */
export async function tickAll(tools: Pick<SchedulerTools, 'ledger' | 'routineOf'>): Promise<void> {
  await using scheduler = createScheduler({ ...tools, wake: () => {}, log: createLog('silent') })
  await scheduler.tick()
  await scheduler.settle()
}
