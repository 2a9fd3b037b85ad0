import { EventEmitter } from 'node:events'
import type { Results } from '@electric-sql/pglite'
import type { Session, Statement } from './session.ts'

type PoolResult<R> = { rows: R[]; rowCount: number }
type Query = <R>(text: string, params?: readonly unknown[]) => Promise<PoolResult<R>>
type PoolClient = EventEmitter & { query: Query; release(): void }

/** The part of `pg.Pool` that the queue uses; a real one fits too. */
export type Pool = EventEmitter & { query: Query; connect(): Promise<PoolClient>; end(): Promise<void> }

/**
 * The embedded store, spoken to as to a `pg.Pool`. A query of the pool is a turn of the one session. A client that says
 * BEGIN holds the session until COMMIT or ROLLBACK, so that nobody else's statement lands in its transaction, and its
 * own never in somebody else's; outside of one its queries take turns like all others.
 */
export function createPool(session: Session): Pool {
  const query: Query = async (text, params) => {
    if (verbOf(text) !== undefined) throw new Error('a transaction or LISTEN needs its own client: use connect()')
    return run(session, text, params)
  }
  return Object.assign(quietEmitter(), {
    // The queue asks this before it trusts a LISTEN for longer than 10 s; this one cannot drop.
    options: { keepAlive: true },
    query,
    connect: () => Promise.resolve(createClient(session)),
    // The pool is the store's; the store closes it.
    end: () => Promise.resolve(),
  })
}

function createClient(session: Session): PoolClient {
  const client = quietEmitter()
  const held = { transaction: undefined as OpenTransaction | undefined, stops: [] as (() => Promise<void>)[] }

  async function listen(channel: string): Promise<void> {
    held.stops.push(await session.listen(channel, (payload) => client.emit('notification', { channel, payload })))
  }
  async function end(how: 'commit' | 'rollback'): Promise<void> {
    const transaction = held.transaction
    held.transaction = undefined
    await transaction?.end(how)
  }
  const query: Query = async (text, params) => {
    const said = verbOf(text)
    if (said?.verb === 'listen') await listen(said.channel)
    else if (said?.verb === 'begin') held.transaction ??= await begin(session)
    else if (said !== undefined) await end(said.verb)
    else return run(held.transaction?.statement ?? session, text, params)
    return { rows: [], rowCount: 0 }
  }
  return Object.assign(client, {
    query,
    release() {
      const ignore = () => {}
      void end('rollback').catch(ignore)
      for (const stop of held.stops.splice(0)) void stop().catch(ignore)
    },
  })
}

type OpenTransaction = { statement: Statement; end(how: 'commit' | 'rollback'): Promise<void> }

/** A transaction whose end is said later, by a statement instead of by returning. */
async function begin(session: Session): Promise<OpenTransaction> {
  const opened = Promise.withResolvers<Statement>()
  const ended = Promise.withResolvers<'commit' | 'rollback'>()
  const undone = new Error('rolled back')
  const done = session
    .transaction(async (tx) => {
      opened.resolve(tx)
      if ((await ended.promise) === 'rollback') throw undone
    })
    .catch((error: unknown) => {
      opened.reject(error)
      if (error !== undone) throw error
    })
  done.catch(() => {})
  const statement = await opened.promise
  return {
    statement,
    async end(how) {
      ended.resolve(how)
      await done
    },
  }
}

/** Without parameters a text may hold several statements (the simple protocol); the last one's rows are the answer. */
async function run<R>(asked: Statement, text: string, params?: readonly unknown[]): Promise<PoolResult<R>> {
  if (params !== undefined && params.length > 0) return resultOf(await asked.query<R>(text, [...params]))
  const results = await asked.exec(text)
  return resultOf(results.at(-1) as Results<R> | undefined)
}

function resultOf<R>(result: Results<R> | undefined): PoolResult<R> {
  const rows = result?.rows ?? []
  return { rows, rowCount: rows.length || (result?.affectedRows ?? 0) }
}

type Said = { verb: 'begin' | 'commit' | 'rollback' } | { verb: 'listen'; channel: string }

/** What a text does to the session itself. Fails closed: a BEGIN that is not understood must not reach a shared session. */
function verbOf(text: string): Said | undefined {
  const bare = text.replaceAll(/--[^\n]*(\n|$)/g, '').trim()
  const listen = /^listen\s+"?(\w+)"?\s*;?$/i.exec(bare)
  if (listen) return { verb: 'listen', channel: listen[1]! }
  const first = /^(begin|start\s+transaction|commit|end|rollback(?!\s+to)|abort)\b(.*)$/is.exec(bare)
  if (!first) return undefined
  if (!/^(\s+(work|transaction))?\s*;?$/i.test(first[2]!))
    throw new Error(`the embedded store does not take ${JSON.stringify(bare)}`)
  if (/^(begin|start)/i.test(bare)) return { verb: 'begin' }
  return { verb: /^(rollback|abort)/i.test(bare) ? 'rollback' : 'commit' }
}

/** An 'error' without a listener would end the process. */
function quietEmitter(): EventEmitter {
  return new EventEmitter().setMaxListeners(0).on('error', () => {})
}
