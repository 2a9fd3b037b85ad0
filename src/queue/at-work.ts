import { setTimeout as wait } from 'node:timers/promises'
import type { Job, StopReason } from './queue.ts'

/** The deliveries at work in this process, so that they can be stopped and waited for. */
export function createAtWork() {
  const jobs = new Map<string, { job: Job; controller: AbortController; ended: Promise<void> }>()

  return {
    /** Runs `act` as the work of a delivery; rejects as `act` does. */
    async run(id: string, job: Job, act: (signal: AbortSignal) => Promise<void>): Promise<void> {
      const controller = new AbortController()
      const ended = Promise.withResolvers<void>()
      jobs.set(id, { job, controller, ended: ended.promise })
      try {
        await act(controller.signal)
      } finally {
        jobs.delete(id)
        ended.resolve()
      }
    },
    has: (id: string) => jobs.has(id),
    /** Fires the signals of those that match; false when there were none. */
    stop(matches: (id: string, job: Job) => boolean, reason: StopReason): boolean {
      const found = [...jobs].filter(([id, entry]) => matches(id, entry.job))
      for (const [, entry] of found) entry.controller.abort(reason)
      return found.length > 0
    },
    /** True once all have ended, false when they took longer than `limitMs`. */
    async ended(limitMs: number): Promise<boolean> {
      const timer = new AbortController()
      const all = Promise.all([...jobs.values()].map((entry) => entry.ended)).then(() => true)
      const late = wait(limitMs, false, { signal: timer.signal }).catch(() => false)
      return Promise.race([all, late]).finally(() => timer.abort())
    },
  }
}
