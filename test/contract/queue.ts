import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createLog, type Log } from '../../src/log.ts'
import type { Job, Queue, StopReason, Work } from '../../src/queue/queue.ts'

export type QueueSetting = {
  log: Log
  concurrency: number
  lockMs?: number
  work?: Work
  onFailed?: (job: Job | undefined) => void
  onBack?: () => void
}
/** What a suite needs of an implementation: to open one on a fresh server, and to change what the server knows behind its back. */
export type QueueGround = AsyncDisposable & {
  open(setting: QueueSetting): Promise<Queue>
  /** As a server does that lost its memory of who works on what. Throws when no job is at work. */
  dropLocks(): Promise<void>
  /** Everything is gone at once: what waits, what is at work, what has ended. */
  wipe(): Promise<void>
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

    async function start(work: Work | undefined, more: Partial<QueueSetting> = {}): Promise<Queue> {
      const queue = await ground.open({ log, concurrency: 4, ...(work && { work }), ...more })
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

    test('a lost lock stops nothing: the work goes on to its end, and the attempt is not delivered again', async () => {
      const seen: string[] = []
      const ended: string[] = []
      const said: unknown[] = []
      const gate = Promise.withResolvers<void>()
      const spoken = createLog('silent')
      spoken.info = (facts: unknown) => void said.push(facts)
      const work: Work = async (job, signal) => {
        seen.push(`${job.runId}-${job.attempt}`)
        if (job.runId === 'run-g') await gate.promise
        ended.push(`${job.runId} ${signal.aborted}`)
      }
      const queue = await start(work, { lockMs: 1000, log: spoken })
      await queue.enqueue('run-g', 1)
      await vi.waitFor(() => ground.dropLocks())
      await vi.waitFor(() => expect(said).toEqual([{ job: 'run-g-1' }]), 5000)
      await queue.enqueue('run-g', 1)
      gate.resolve()
      await vi.waitFor(() => expect(ended).toEqual(['run-g false']))
      await queue.enqueue('run-g', 2)
      await vi.waitFor(() => expect(seen).toEqual(['run-g-1', 'run-g-2']), 5000)
      expect(said).toHaveLength(1)
      expect(queue.health()).toBe('ok')
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

    test('wiped while jobs wait and are at work: the work goes on, and the next attempts are delivered', async () => {
      const seen: string[] = []
      const ended: string[] = []
      const gate = Promise.withResolvers<void>()
      const work: Work = async (job, signal) => {
        seen.push(`${job.runId}-${job.attempt}`)
        if (job.attempt === 1) await gate.promise
        ended.push(`${job.runId}-${job.attempt} ${signal.aborted}`)
      }
      const queue = await start(work, { concurrency: 2 })
      for (const run of ['run-r', 'run-s', 'run-t']) await queue.enqueue(run, 1)
      await vi.waitFor(() => expect(seen).toEqual(['run-r-1', 'run-s-1']))
      await ground.wipe()
      // The work whose entry is gone ends, and its place is free for what comes.
      gate.resolve()
      await vi.waitFor(() => expect(ended.toSorted()).toEqual(['run-r-1 false', 'run-s-1 false']))
      await queue.enqueue('run-t', 2)
      await queue.enqueue('run-u', 2)
      await vi.waitFor(() => expect(ended.slice(2).toSorted()).toEqual(['run-t-2 false', 'run-u-2 false']), 5000)
      expect(seen).not.toContain('run-t-1')
      expect(queue.health()).toBe('ok')
    })

    test('two that share a server: each job goes to exactly one, and both get some', async () => {
      const seen: string[][] = [[], []]
      const slow =
        (mine: string[]): Work =>
        async (job) => {
          mine.push(job.runId)
          await wait(5)
        }
      const queues = await Promise.all(seen.map((mine) => start(slow(mine), { concurrency: 2 })))
      const runs = Array.from({ length: 60 }, (_, index) => `run-${index + 100}`)
      await Promise.all(runs.map((run, index) => queues[index % 2]!.enqueue(run, 1)))
      await vi.waitFor(() => expect(seen.flat()).toHaveLength(60), 10_000)
      expect(seen.flat().toSorted()).toEqual(runs.toSorted())
      expect(Math.min(...seen.map((mine) => mine.length))).toBeGreaterThan(0)
    })

    test('without work it only hands out, and cancels nothing', async () => {
      const seen: string[] = []
      const giver = await start(undefined)
      await giver.enqueue('run-v', 1)
      expect(giver.cancel('run-v')).toBe(false)
      await giver.pause()
      await start(async (job) => void seen.push(job.runId))
      await vi.waitFor(() => expect(seen).toEqual(['run-v']))
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

    test('closing stops what outlives the grace, and does not wait for what ignores its signal', async () => {
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
      await queue.close({ graceMs: 50, stopMs: 500 })
      expect(stopped.toSorted()).toEqual(['run-p stopping', 'run-q stopping'])
      expect(Date.now() - begun).toBeLessThan(9000)
      deaf.resolve()
    })
  })
}
