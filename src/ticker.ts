import { schedule } from 'node-cron'
import { messageOf } from './errors.ts'
import type { Log } from './log.ts'

type Tick = { name: string; every: string; act(): Promise<unknown> }

/** node-cron is the pulse of this process. A missed beat is harmless: every act reads from the ledger what is due. */
export function startTicking(log: Log, ticks: readonly Tick[]): AsyncDisposable {
  const tasks = ticks.map(({ name, every, act }) =>
    schedule(
      every,
      () =>
        act().catch((error: unknown) =>
          log.error({ tick: name, error: messageOf(error) }, 'a tick failed; the next one tries again'),
        ),
      { name, noOverlap: true, timezone: 'UTC', suppressMissedWarning: true },
    ),
  )
  return {
    async [Symbol.asyncDispose]() {
      for (const task of tasks) await task.destroy()
    },
  }
}
