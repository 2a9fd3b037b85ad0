import type pg from 'pg'
import type { Reach } from './reach.ts'

/** What drizzle's driver says to a client. */
type Config = pg.QueryConfig & { text: string }
type Asked = { query(config: Config, params?: unknown[]): Promise<pg.QueryResult>; release(): void }

/**
 * The pool as drizzle uses it. Drizzle knows a pool by the name of its class, and takes a client of its own for each
 * transaction; it never gives one back whose BEGIN failed, answers a lost connection with the error of its ROLLBACK, and
 * takes for committed what the server rolled back.
 */
export class TransactionPool {
  readonly #pool: pg.Pool
  readonly #reach: Reach

  constructor(pool: pg.Pool, reach: Reach) {
    this.#pool = pool
    this.#reach = reach
  }

  async query(config: Config, params?: unknown[]): Promise<pg.QueryResult> {
    this.#requireOpen()
    return this.#reach.ask(() => this.#pool.query(config, params))
  }

  async connect(): Promise<Asked> {
    this.#requireOpen()
    const client = await this.#reach.ask(() => this.#pool.connect())
    const state = { broken: undefined as Error | undefined, released: false }
    const release = () => {
      if (state.released) return
      state.released = true
      client.release(state.broken)
    }
    const ask = async (config: Config, params?: unknown[]) => {
      try {
        return await this.#reach.ask(() => client.query(config, params))
      } catch (error) {
        // An error of the server's leaves a connection that can go on; after any other it is not known where it stands.
        if (!isFromServer(error)) state.broken = asError(error)
        throw error
      }
    }
    return {
      release,
      async query(config, params) {
        switch (config.text) {
          case 'begin':
            return ask(config).catch((error: unknown) => {
              release()
              throw error
            })
          case 'commit': {
            const said = await ask(config)
            if (said.command === 'COMMIT') return said
            throw new Error('the transaction was rolled back: a statement in it had failed')
          }
          case 'rollback':
            // The server has undone what it had of a connection that is gone.
            return state.broken ? nothing : ask(config).catch(() => nothing)
          default:
            return ask(config, params)
        }
      },
    }
  }

  #requireOpen(): void {
    if (this.#pool.ending) throw new Error('the ledger is closed')
  }
}

const nothing: pg.QueryResult = { command: 'ROLLBACK', rowCount: null, oid: 0, rows: [], fields: [] }

function isFromServer(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && error.severity === 'ERROR'
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
