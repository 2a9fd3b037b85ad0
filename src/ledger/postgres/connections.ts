import pg from 'pg'

/**
 * Longer than any statement of ours takes, and than somebody who is stuck may hold what it waits for (below). With what the
 * way takes it stays below the lease, so that a dead line is given up while the run is still held.
 */
const statementMs = 15_000
/** A transaction that waits this long for its own process (stopped, or gone without a word) holds what others wait for. */
const idleInTransactionMs = 10_000
const connectMs = 5_000

/** What every connection of ours says before it is used; the operator's own defaults might be others. */
const settings: Record<string, string> = {
  statement_timeout: String(statementMs),
  idle_in_transaction_session_timeout: String(idleInTransactionMs),
  default_transaction_isolation: 'read committed',
  // Instants are read as text.
  DateStyle: 'ISO',
  TimeZone: 'UTC',
}
// An acknowledged row is on disk; whoever asks for more (remote_apply) gets more.
const durable = `set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, false)`

export function connectionOf(databaseUrl: string): pg.ClientConfig {
  return {
    connectionString: databaseUrl,
    fallback_application_name: 'overnight',
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // The server ends a statement after its own limit; when not even that is heard, nobody is there.
    query_timeout: statementMs + 5_000,
  }
}

/** As statements, not as parameters of the connection: poolers such as PgBouncer refuse those. */
async function settle(client: pg.ClientBase, more: Record<string, string> = {}): Promise<void> {
  const all = Object.entries({ ...settings, ...more })
  const calls = all.map((_, index) => `set_config($${index * 2 + 1}, $${index * 2 + 2}, false)`)
  await client.query(`select ${[...calls, durable].join(', ')}`, all.flat())
}

/** An 'error' without a listener would end the process; whoever waits for an answer is told by its own promise. */
export function quiet<T extends Pick<pg.Client, 'on'>>(source: T): T {
  source.on('error', () => {})
  return source
}

export function openPool(databaseUrl: string, options: { max: number; settings?: Record<string, string> }): pg.Pool {
  const pool = new pg.Pool({
    ...connectionOf(databaseUrl),
    max: options.max,
    // The pool waits for what this returns, although its type does not say so.
    // oxlint-disable-next-line typescript/no-misused-promises
    onConnect: (client) => settle(client, options.settings),
  })
  pool.on('error', () => {})
  pool.on('connect', (client) => void quiet(client))
  return pool
}
