import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { pino } from 'pino'
import { QueueUnavailable } from '../../src/queue/unavailable.ts'
import type { Job, Queue, Work } from '../../src/queue/queue.ts'
import type { QueueGround, QueueSetting } from './queue.ts'

/** A server of its own, which can go away. */
export type QueueServer = QueueGround & {
  stop(how: 'in order' | 'crash'): Promise<void>
  start(): Promise<void>
}

export type Said = { level: number; msg: string; error?: string }

/** A log whose lines are looked at. */
export function listen(): { log: QueueSetting['log']; said: Said[] } {
  const said: Said[] = []
  return { log: pino({ level: 'info' }, { write: (line) => void said.push(JSON.parse(line) as Said) }), said }
}

/** What every queue promises whose server may go away and come back. */
export function queueServerContract(title: string, openGround: () => Promise<QueueServer>): void {
  describe(`a queue whose server goes away: ${title}`, () => {
    let ground: QueueServer
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
      const queue = await ground.open({ log: listen().log, concurrency: 2, work, ...more })
      open.push(queue)
      return queue
    }

    test.for(['in order', 'crash'] as const)(
      'gone for a second (%s): work goes on, nobody waits, and it is said once',
      async (how) => {
        const { log, said } = listen()
        const ended: string[] = []
        const gate = Promise.withResolvers<void>()
        const back = vi.fn<() => void>()
        const work: Work = async (job, signal) => {
          if (job.attempt === 1) await gate.promise
          ended.push(`${job.runId}-${job.attempt} ${signal.aborted}`)
        }
        const queue = await start(work, { log, onBack: back })
        await queue.enqueue('run-a', 1)
        await vi.waitFor(() => ground.dropLocks())
        await ground.stop(how)
        const begun = performance.now()
        await vi.waitFor(() => expect(queue.health()).toBe('degraded'), 5000)
        await expect(queue.enqueue('run-b', 2)).rejects.toThrow(QueueUnavailable)
        await expect(queue.enqueue('run-b', 2)).rejects.toThrow(QueueUnavailable)
        expect(performance.now() - begun).toBeLessThan(8000)
        // Ended while nobody could be told.
        gate.resolve()
        await vi.waitFor(() => expect(ended).toEqual(['run-a-1 false']))
        await ground.start()
        await vi.waitFor(() => queue.enqueue('run-b', 2), { timeout: 10_000, interval: 100 })
        await vi.waitFor(() => expect(ended).toEqual(['run-a-1 false', 'run-b-2 false']), 15_000)
        await vi.waitFor(() => expect(queue.health()).toBe('ok'), 5000)
        expect(said.filter(({ msg }) => msg.includes('does not answer'))).toHaveLength(1)
        expect(said.filter(({ msg }) => msg.includes('is back'))).toHaveLength(1)
        expect(back).toHaveBeenCalledTimes(1)
      },
    )

    test('killed and started again, it still has what waited', async () => {
      const seen: Job[] = []
      const giver = await start(async () => {})
      await giver.pause()
      for (const run of ['run-c', 'run-d', 'run-e']) await giver.enqueue(run, 1)
      await ground.stop('crash')
      await ground.start()
      await start(async (job) => void seen.push(job))
      await vi.waitFor(() => expect(seen.map((job) => job.runId)).toEqual(['run-c', 'run-d', 'run-e']), 15_000)
    })

    test('closes while the server is away, with work that must be stopped', async () => {
      const ended: unknown[] = []
      const queue = await start(
        (_, signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => resolve(void ended.push(signal.reason)), { once: true })
          }),
      )
      await queue.enqueue('run-f', 1)
      await vi.waitFor(() => ground.dropLocks())
      await ground.stop('crash')
      const begun = performance.now()
      await queue.close({ graceMs: 100 })
      expect(ended).toEqual(['stopping'])
      expect(performance.now() - begun).toBeLessThan(5000)
      await expect(queue.enqueue('run-f', 2)).rejects.toThrow('closed')
      await ground.start()
    })
  })
}
