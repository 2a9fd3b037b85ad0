import { LedgerUnreachable } from '../../errors.ts'
import { named } from '../disk.ts'

/** Of the way there: the server is down, starting, or somewhere else for the moment. */
const system = new Set(
  // ENOENT: a unix socket whose server is not there yet.
  `ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN ENOTFOUND EAI_AGAIN
  ENOENT`.split(/\s+/),
)
/** https://www.postgresql.org/docs/current/errcodes-appendix.html, beside class 08 (connection exception). */
const sqlStates = new Set([
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
  '25P03', // idle_in_transaction_session_timeout: the connection is gone with it
  '25006', // read_only_sql_transaction: it has become a standby; the next connection may find the new primary
  '57014', // query_canceled: our limit of time; somebody holds what it waits for
  '53300', // too_many_connections
])
/** node-postgres raises these itself, without a code. */
const spoken =
  /^(connection (terminated|ended)|timeout e(xceeded|xpired)|query read timeout|client (has encountered|was closed))/i

/** The same statement may succeed later, on another connection, without anybody changing anything. */
export function isUnreachable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  if (typeof code !== 'string') return spoken.test(error.message)
  return system.has(code) || sqlStates.has(code) || /^08[0-9A-Z]{3}$/.test(code)
}

/** A failure as ours where we have a word for it; any other as it is. */
export function spokenOf(error: unknown, address: string): unknown {
  return isUnreachable(error) ? new LedgerUnreachable(address, error) : named(error)
}
