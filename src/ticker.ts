import { createTask, type Logger } from 'node-cron'
import { messageOf } from './errors.ts'
import type { Log } from './log.ts'

type Tick = { name: string; every: string; act(): Promise<unknown> }

/** node-cron is the pulse of this process. A missed beat is harmless: every act reads from the ledger what is due. */
export function startTicking(log: Log, ticks: readonly Tick[]): AsyncDisposable {
  const stops = ticks.map((tick) => startBeating(log, tick))
  return {
    async [Symbol.asyncDispose]() {
      for (const stop of stops) await stop()
    },
  }
}

/**
 * node-cron knows the beats and does the act; the wait for each is by the clock that nobody can set. Its own is for the time that
 * is shown: set back by an hour it would be silent for an hour, and set forward it counts each second that was left out, which
 * stopped the process for half a second for an hour.
 */
function startBeating(log: Log, tick: Tick): () => Promise<void> {
  const { name, every } = tick
  const task = createTask(every, quietly(log, tick), { name, timezone: 'UTC', logger: loggerOf(log, name) })
  const beat = () => {
    state.timer = wait()
    void task.execute()
  }
  const wait = () => {
    const now = Date.now()
    const next = task.getNextRuns(1)[0]?.getTime() ?? now
    // Timers may come a millisecond early, and would find the same beat again.
    return setTimeout(beat, next - now + 1)
  }
  const state = { timer: wait() }
  return async () => {
    clearTimeout(state.timer)
    await task.destroy()
  }
}

/** A ledger that is away makes every beat fail: said when it begins and when it is over. */
function quietly(log: Log, { name, act }: Tick): () => Promise<void> {
  const state = { failing: false, underWay: false }
  return async () => {
    if (state.underWay) return log.debug({ tick: name }, 'a beat is left out: the last act still goes on')
    state.underWay = true
    try {
      await act()
      if (state.failing) log.info({ tick: name }, 'a tick works again')
      state.failing = false
    } catch (error) {
      if (!state.failing) log.error({ tick: name, error: messageOf(error) }, 'a tick failed; the next ones try again')
      state.failing = true
    } finally {
      state.underWay = false
    }
  }
}

/** What node-cron has to say is a line of our log like others. */
function loggerOf(log: Log, tick: string): Logger {
  const debug = (message: string | Error) => log.debug({ tick }, messageOf(message))
  const error = (message: string | Error) => log.error({ tick }, messageOf(message))
  return { debug, info: debug, warn: debug, error }
}
