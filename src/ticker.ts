import { schedule, type Logger } from 'node-cron'
import { messageOf } from './errors.ts'
import type { Log } from './log.ts'

type Tick = { name: string; every: string; act(): Promise<unknown> }

/** node-cron is the pulse of this process. A missed beat is harmless: every act reads from the ledger what is due. */
export function startTicking(log: Log, ticks: readonly Tick[]): AsyncDisposable {
  const tasks = ticks.map((tick) =>
    schedule(tick.every, quietly(log, tick), {
      name: tick.name,
      noOverlap: true,
      timezone: 'UTC',
      suppressMissedWarning: true,
      logger: loggerOf(log, tick.name),
    }),
  )
  return {
    async [Symbol.asyncDispose]() {
      for (const task of tasks) await task.destroy()
    },
  }
}

/** A ledger that is away makes every beat fail: said when it begins and when it is over. */
function quietly(log: Log, { name, act }: Tick): () => Promise<void> {
  const state = { failing: false }
  return async () => {
    try {
      await act()
      if (state.failing) log.info({ tick: name }, 'a tick works again')
      state.failing = false
    } catch (error) {
      if (!state.failing) log.error({ tick: name, error: messageOf(error) }, 'a tick failed; the next ones try again')
      state.failing = true
    }
  }
}

/** What node-cron has to say (a beat left out because the last act still goes on) is a line of our log like others. */
function loggerOf(log: Log, tick: string): Logger {
  const debug = (message: string | Error) => log.debug({ tick }, messageOf(message))
  const error = (message: string | Error) => log.error({ tick }, messageOf(message))
  return { debug, info: debug, warn: debug, error }
}
