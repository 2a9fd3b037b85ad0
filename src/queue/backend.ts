import { setTimeout as wait } from 'node:timers/promises'
import type { BackendFactory, IQueueBackend } from 'bullmq'
import type { Outage } from './outage.ts'

/** BullMQ's own port to a server. The connections are chosen inside: what is given as `connection` is not looked at. */
export type Create = BackendFactory<IQueueBackend, unknown>

export type Backend = {
  create: Create
  /** For people; never with a password. */
  server: string
  /** Seconds that an idle worker sleeps when nothing wakes it. */
  drainDelay: number
  /** Resolves when it is known how things stand; `ready` is BullMQ's own wait, without end while the server is away. */
  opened(ready: Promise<unknown>): Promise<unknown>
  /** Why a job cannot be handed over now, known without asking; undefined = ask. */
  whyNot(): string | undefined
  /** Begins to tell the outage about the connections that BullMQ does not tell about. */
  watch(outage: Outage): void
  close(): void
}

/** How long a worker rests after the server refused it. */
const restMs = 1000

/**
 * What BullMQ's worker does that a server or a stop does not bear, put right at its port:
 * - it asks at once again when the server answers with an error (read-only, out of memory, shutting down), thousands of
 *   times a second. Here it rests first; what it learns by asking begins and ends the outage.
 * - once more after its pause it takes a job, which then has nobody to work on it;
 * - its pause ends by connecting again, and that may be long after it was closed.
 */
export function calmly(create: Create, { outage, mayTake }: { outage: Outage; mayTake: () => boolean }): Create {
  return (name, options, more) => {
    const backend = create(name, options, more)
    const take = backend.moveToActive.bind(backend)
    const waitForJob = backend.waitForJob.bind(backend)
    const reconnect = backend.reconnectBlocking.bind(backend)

    async function rest(error: unknown): Promise<never> {
      outage.begin('taking', error)
      await wait(restMs, undefined, { ref: false })
      throw error
    }
    async function takeOrRest(...args: Parameters<typeof take>): ReturnType<typeof take> {
      if (!mayTake()) return []
      const taken = await take(...args).catch(rest)
      outage.end('taking')
      return taken
    }
    return Object.assign(backend, {
      moveToActive: takeOrRest,
      // That it ended well says nothing: it ends by itself when the connection is lost. In an outage nobody hands a job over
      // that would wake it, so it asks again soon.
      waitForJob: (seconds: number) => waitForJob(outage.isOn() ? Math.min(seconds, 1) : seconds).catch(rest),
      async reconnectBlocking() {
        if (backend.closing === undefined) await reconnect()
      },
    })
  }
}
