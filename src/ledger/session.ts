import { setImmediate as macrotask } from 'node:timers/promises'
import type { PGlite, QueryOptions, Results } from '@electric-sql/pglite'
import { messageOf, SetupError } from '../errors.ts'
import { named } from './disk.ts'
import { isPanic, silenceAfterPanic } from './panic.ts'

export type Statement = {
  query<T>(text: string, params?: unknown[], options?: QueryOptions): Promise<Results<T>>
  exec(text: string): Promise<Results[]>
}
export type Session = ReturnType<typeof createSession>

/**
 * The embedded store has one session and works on our thread. So everybody takes turns, first come first served:
 * a query is one turn, a transaction is one turn from begin to commit. Before each query the event loop goes round
 * once: queries that follow each other in microtasks alone would keep timers, sockets and signals waiting.
 * `beforeWrite` may refuse a turn that could write.
 */
export function createSession(pglite: PGlite, beforeWrite: () => void) {
  silenceAfterPanic(pglite)
  const line = { last: Promise.resolve() as Promise<unknown>, ended: false, refusal: undefined as Error | undefined }
  /** How to refuse the turn at work. Not one promise that all turns race: it would hold every answer for ever. */
  const atWork = new Set<(refusal: Error) => void>()
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => {})

  function turn<T>(act: () => Promise<T>): Promise<T> {
    if (line.ended) return Promise.reject(new Error('the ledger is closed'))
    const mine = line.last.then(async () => {
      if (line.refusal) throw line.refusal
      const mayEnd = Promise.withResolvers<T>()
      atWork.add(mayEnd.reject)
      act().then(mayEnd.resolve, mayEnd.reject)
      return mayEnd.promise.finally(() => atWork.delete(mayEnd.reject))
    })
    line.last = mine.catch(() => {})
    return mine
  }
  /** After a PANIC the server spins for ever on whatever it is asked next, be it ROLLBACK: so nothing is asked again. */
  async function ask<T>(act: () => Promise<T>): Promise<T> {
    await macrotask()
    try {
      return await act()
    } catch (error) {
      if (!isPanic(error)) throw named(error)
      line.refusal = new SetupError(
        `the ledger stopped: ${messageOf(error)}`,
        'see to the disk and start again; nothing acknowledged is lost',
        error,
      )
      for (const refuse of atWork) refuse(line.refusal)
      stopped.reject(line.refusal)
      return new Promise<T>(() => {})
    }
  }
  const calm: Statement = {
    query: (text, params, options) => ask(() => pglite.query(text, params, options)),
    exec: (text) => ask(() => pglite.exec(text)),
  }

  return {
    query: <T>(text: string, params?: unknown[], options?: QueryOptions): Promise<Results<T>> =>
      turn(async () => {
        // What begins with a comment is the queue's, and its selects write.
        if (!/^\s*select\b/i.test(text)) beforeWrite()
        return calm.query<T>(text, params, options)
      }),
    exec: (text: string): Promise<Results[]> =>
      turn(async () => {
        beforeWrite()
        return calm.exec(text)
      }),
    transaction: <T>(act: (tx: Statement) => Promise<T>): Promise<T> =>
      turn(async () => {
        beforeWrite()
        await calm.exec('begin')
        try {
          const result = await act(calm)
          const [said] = await calm.exec('commit')
          // A transaction that went on after a failed statement is rolled back by its own COMMIT, which is no error to the server.
          if (said?.command !== 'COMMIT')
            throw new Error('the transaction was rolled back: a statement in it had failed')
          return result
        } catch (error) {
          await calm.exec('rollback')
          throw error
        }
      }),
    async listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>> {
      const stop = await turn(() => pglite.listen(channel, onPayload))
      return () => (line.ended || line.refusal ? Promise.resolve() : turn(() => stop()))
    },
    /** Rejects with the reason when the server has stopped by itself; never resolves. */
    stopped: stopped.promise,
    isRunning: (): boolean => line.refusal === undefined,
    /** Lets those in line finish; later calls are refused. False when the server has stopped by itself. */
    async end(): Promise<boolean> {
      line.ended = true
      await line.last
      return line.refusal === undefined
    },
  }
}
