import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createLog, type Log } from '../../src/log.ts'
import type { Job, Queue, StopReason, Work } from '../../src/queue/queue.ts'

type QueueSetting = {
  log: Log
  concurrency: number
  lockMs?: number
  work: Work
  onFailed?: (job: Job | undefined) => void
}
/** What a suite needs of an implementation: to open one on a fresh server, and to take a job's lock away behind its back. */
export type QueueGround = AsyncDisposable & {
  open(setting: QueueSetting): Promise<Queue>
  /** As a server does that lost its memory of who works on what. */
  dropLocks(): Promise<void>
}

const log = createLog('silent')
/** Work that ends when its signal fires, and says why. */
const untilStopped = (signal: AbortSignal): Promise<StopReason> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason as StopReason), { once: true }))

/** What every queue promises. */
export function queueContract(name: string, openGround: () => Promise<QueueGround>): void {
  describe(`a queue: ${name}`, () => {
    let ground: QueueGround
    const open: Queue[] = []
    beforeAll(async () => {
      ground = await openGround()
    })
    afterEach(async () => {
      for (const queue of open.splice(0)) {
        await queue.empty().catch(() => {})
        await queue.close({ graceMs: 0 })
      }
    })
    afterAll(async () => ground[Symbol.asyncDispose]())

    async function start(work: Work, more: Partial<QueueSetting> = {}): Promise<Queue> {
      const queue = await ground.open({ log, concurrency: 4, work, ...more })
      open.push(queue)
      return queue
    }

    test('delivers run and attempt, and nothing else', async () => {
      const seen: Job[] = []
      const queue = await start(async (job) => void seen.push(job))
      await queue.enqueue('run-a', 1)
      await vi.waitFor(() => expect(seen).toEqual([{ runId: 'run-a', attempt: 1 }]))
    })

    test('the same attempt twice, at once or after its end, is one delivery; the next attempt is another', async () => {
      const seen: string[] = []
      const queue = await start(async (job) => void seen.push(`${job.runId}-${job.attempt}`))
      await Promise.all([queue.enqueue('run-b', 1), queue.enqueue('run-b', 1)])
      await vi.waitFor(() => expect(seen).toEqual(['run-b-1']))
      await queue.enqueue('run-b', 1)
      await queue.enqueue('run-b', 2)
      await vi.waitFor(() => expect(seen).toEqual(['run-b-1', 'run-b-2']))
      await queue.enqueue('run-b', 3)
      await vi.waitFor(() => expect(seen).toEqual(['run-b-1', 'run-b-2', 'run-b-3']))
    })

    test('as many at the same time as the concurrency, never more', async () => {
      const state = { now: 0, most: 0, done: 0 }
      const gate = Promise.withResolvers<void>()
      const queue = await start(
        async () => {
          state.most = Math.max(state.most, ++state.now)
          await gate.promise
          state.now--
          state.done++
        },
        { concurrency: 10 },
      )
      await Promise.all(Array.from({ length: 14 }, (_, i) => queue.enqueue(`run-c${i}`, 1)))
      await vi.waitFor(() => expect(state.now).toBe(10), 5000)
      gate.resolve()
      await vi.waitFor(() => expect(state.done).toBe(14), 5000)
      expect(state.most).toBe(10)
    })

    test('cancel fires the signal of that run alone', async () => {
      const ended: string[] = []
      const queue = await start(async (job, signal) => void ended.push(`${job.runId} ${await untilStopped(signal)}`))
      expect(queue.cancel('run-d')).toBe(false)
      await queue.enqueue('run-d', 1)
      await queue.enqueue('run-e', 1)
      await vi.waitFor(() => expect(queue.cancel('run-d')).toBe(true))
      await vi.waitFor(() => expect(ended).toEqual(['run-d cancelled']))
    })

    test('work that throws is told and not delivered again', async () => {
      const seen: Job[] = []
      const failed: (Job | undefined)[] = []
      const queue = await start(
        async (job) => {
          seen.push(job)
          throw new Error('on purpose')
        },
        { onFailed: (job) => failed.push(job) },
      )
      await queue.enqueue('run-f', 1)
      await vi.waitFor(() => expect(failed).toEqual([{ runId: 'run-f', attempt: 1 }]))
      await queue.enqueue('run-f', 2)
      await vi.waitFor(() => expect(failed).toHaveLength(2))
      expect(seen).toHaveLength(2)
    })

    test('a lost lock fires the signal, and the attempt is not delivered again', async () => {
      const ended: string[] = []
      const queue = await start(async (job, signal) => void ended.push(`${job.runId} ${await untilStopped(signal)}`), {
        lockMs: 1000,
      })
      await queue.enqueue('run-g', 1)
      await vi.waitFor(() => ground.dropLocks())
      await vi.waitFor(() => expect(ended).toEqual(['run-g lock_lost']), 5000)
    })

    test(
      'a job whose process died fails at once: no second delivery, but a call to look',
      { timeout: 20_000 },
      async () => {
        const seen: string[] = []
        const failed: (string | undefined)[] = []
        const onFailed = (job: Job | undefined) => void failed.push(job?.runId)
        const stuck = Promise.withResolvers<void>()
        const work: Work = async (job) => {
          seen.push(job.runId)
          if (job.runId === 'run-h') await stuck.promise
        }
        const silent = await start(work, { lockMs: 1000, onFailed })
        await silent.enqueue('run-h', 1)
        await vi.waitFor(() => expect(seen).toEqual(['run-h']))
        await ground.dropLocks()
        const alive = await start(work, { lockMs: 1000, onFailed })
        await vi.waitFor(() => expect(failed).toContain('run-h'), 10_000)
        await alive.enqueue('run-i', 1)
        await vi.waitFor(() => expect(seen).toEqual(['run-h', 'run-i']))
        stuck.resolve()
      },
    )

    test('emptied, it has forgotten everything, works on, and takes the same attempt anew', async () => {
      const seen: string[] = []
      const queue = await start(async (job) => void seen.push(job.runId), { concurrency: 1 })
      await queue.pause()
      await queue.enqueue('run-j', 1)
      await queue.empty()
      await queue.close({ graceMs: 0 })
      const next = await start(async (job) => void seen.push(job.runId))
      await next.enqueue('run-k', 1)
      await vi.waitFor(() => expect(seen).toEqual(['run-k']))
      await next.empty()
      await next.enqueue('run-k', 1)
      await vi.waitFor(() => expect(seen).toEqual(['run-k', 'run-k']))
    })

    test('paused, it takes nothing more and lets go on what is at work', async () => {
      const started: string[] = []
      const ended: string[] = []
      const gate = Promise.withResolvers<void>()
      const work: Work = async (job) => {
        started.push(job.runId)
        await gate.promise
        ended.push(job.runId)
      }
      const queue = await start(work)
      await queue.enqueue('run-l', 1)
      await vi.waitFor(() => expect(started).toEqual(['run-l']))
      await queue.pause()
      await queue.enqueue('run-m', 1)
      gate.resolve()
      await vi.waitFor(() => expect(ended).toEqual(['run-l']))
      // A second process would take it at once; the paused one must have left it there.
      await start(async (job) => void ended.push(`second ${job.runId}`))
      await vi.waitFor(() => expect(ended).toEqual(['run-l', 'second run-m']))
      expect(started).toEqual(['run-l'])
    })

    test('closing lets work end within the grace', async () => {
      const started: string[] = []
      const ended: string[] = []
      const gate = Promise.withResolvers<void>()
      const queue = await start(async (job, signal) => {
        started.push(job.runId)
        await gate.promise
        ended.push(`${job.runId} ${signal.aborted}`)
      })
      await queue.enqueue('run-o', 1)
      await vi.waitFor(() => expect(started).toEqual(['run-o']))
      const closed = queue.close({ graceMs: 5000 })
      gate.resolve()
      await closed
      expect(ended).toEqual(['run-o false'])
      await expect(queue.enqueue('run-o', 2)).rejects.toThrow('closed')
      await queue.close({ graceMs: 0 })
    })

    test(
      'closing stops what outlives the grace, and does not wait for what ignores its signal',
      { timeout: 30_000 },
      async () => {
        const started: string[] = []
        const stopped: string[] = []
        const deaf = Promise.withResolvers<void>()
        const queue = await start(async (job, signal) => {
          started.push(job.runId)
          stopped.push(`${job.runId} ${await untilStopped(signal)}`)
          if (job.runId === 'run-q') await deaf.promise
        })
        await queue.enqueue('run-p', 1)
        await queue.enqueue('run-q', 1)
        await vi.waitFor(() => expect(started.toSorted()).toEqual(['run-p', 'run-q']))
        const begun = Date.now()
        await queue.close({ graceMs: 50 })
        expect(stopped.toSorted()).toEqual(['run-p stopping', 'run-q stopping'])
        expect(Date.now() - begun).toBeLessThan(15_000)
        deaf.resolve()
      },
    )
  })
}
