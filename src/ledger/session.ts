import { setImmediate as macrotask } from 'node:timers/promises'
import type { PGlite, QueryOptions, Results, Transaction } from '@electric-sql/pglite'

/** What may be asked inside a transaction. */
export type Statement = {
  query<T>(text: string, params?: unknown[], options?: QueryOptions): Promise<Results<T>>
  exec(text: string): Promise<Results[]>
}
export type Session = ReturnType<typeof createSession>

/**
 * The embedded store has one session and works on our thread. So everybody takes turns, first come first served:
 * a query is one turn, a transaction is one turn from begin to commit. Before each query the event loop goes round
 * once: queries that follow each other in microtasks alone would keep timers, sockets and signals waiting.
 */
export function createSession(pglite: PGlite) {
  const line = { last: Promise.resolve() as Promise<unknown>, ended: false }

  function turn<T>(act: () => Promise<T>): Promise<T> {
    if (line.ended) return Promise.reject(new Error('the ledger is closed'))
    const mine = line.last.then(act)
    line.last = mine.catch(() => {})
    return mine
  }

  return {
    query: <T>(text: string, params?: unknown[], options?: QueryOptions): Promise<Results<T>> =>
      turn(() => calmly(pglite).query<T>(text, params, options)),
    exec: (text: string): Promise<Results[]> => turn(() => calmly(pglite).exec(text)),
    transaction: <T>(act: (tx: Statement & { rollback(): Promise<void> }) => Promise<T>): Promise<T> =>
      turn(() => pglite.transaction((tx) => act({ ...calmly(tx), rollback: () => tx.rollback() }))),
    async listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>> {
      const stop = await turn(() => pglite.listen(channel, onPayload))
      return () => (line.ended ? Promise.resolve() : turn(() => stop()))
    },
    /** Lets those in line finish; later calls are refused. */
    async end(): Promise<void> {
      line.ended = true
      await line.last
    },
  }
}

function calmly(asked: PGlite | Transaction): Statement {
  return {
    async query<T>(text: string, params?: unknown[], options?: QueryOptions) {
      await macrotask()
      return asked.query<T>(text, params, options)
    },
    async exec(text) {
      await macrotask()
      return asked.exec(text)
    },
  }
}
