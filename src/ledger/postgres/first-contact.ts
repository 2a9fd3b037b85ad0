import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { behind, messageOf, SetupError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { connectionOf, quiet } from './connections.ts'
import { isUnreachable } from './unreachable.ts'

/** Older ones lack what the ledger asks (`pg_current_xact_id`), and get no repairs any more. */
const oldest = 13
const waitMs = 500
const sayEveryMs = 5_000

export type FirstContact = {
  databaseUrl: string
  log: Pick<Log, 'warn' | 'info'>
  /** How long a server that is not there is waited for. Default 60 s: database and service are often started together. */
  patienceMs?: number
}

/** Where it is, for people: never with the password. */
export function addressOf(databaseUrl: string): string {
  const { host, port, database, user } = new pg.Client(connectionOf(databaseUrl))
  const place = host.startsWith('/') ? `${host} (port ${port})` : `${host}:${port}`
  return `${place}, database ${database ?? user ?? '?'}, user ${user ?? '?'}`
}

/**
 * Resolves when the server answers and the ledger can live there. One that is not there (yet) is asked again for
 * `patienceMs`, with a line in the log; what waiting cannot heal is a SetupError at once.
 */
export async function waitForServer({ databaseUrl, log, patienceMs = 60_000 }: FirstContact): Promise<void> {
  const address = addressOf(databaseUrl)
  const started = performance.now()
  for (let said = -sayEveryMs; ;) {
    const failure = await visit(databaseUrl, log).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (failure === undefined) return
    const wait = isUnreachable(failure) && !isStandby(failure)
    const waitedMs = performance.now() - started
    if (!wait || waitedMs > patienceMs) throw refusal(failure, address)
    if (waitedMs - said >= sayEveryMs) {
      said = waitedMs
      log.warn({ error: messageOf(failure) }, `waiting for the PostgreSQL at ${address}`)
    }
    await delay(waitMs)
  }
}

async function visit(databaseUrl: string, log: FirstContact['log']): Promise<void> {
  const client = quiet(new pg.Client(connectionOf(databaseUrl)))
  try {
    await client.connect()
    const { rows } = await client.query<{ version: string; standby: boolean; readonly: string; fsync: string }>(
      `select current_setting('server_version_num') as version, pg_is_in_recovery() as standby,
         current_setting('default_transaction_read_only') as readonly, current_setting('fsync') as fsync`,
    )
    const { version, standby, readonly, fsync } = rows[0]!
    if (Number(version) < oldest * 10_000) throw new TooOld(Number(version))
    if (standby || readonly === 'on') throw new ReadOnly()
    if (fsync === 'off') log.warn('fsync is off in this PostgreSQL: a power cut loses what was acknowledged')
  } finally {
    await client.end().catch(() => {})
  }
}

class TooOld extends Error {
  constructor(version: number) {
    super(`it is version ${Math.floor(version / 10_000)}`)
  }
}
class ReadOnly extends Error {
  constructor() {
    super('it is read-only (a standby, or default_transaction_read_only is on)')
  }
}
const isStandby = (error: Error) => (error as { code?: unknown }).code === '25006'

function refusal(thrown: unknown, address: string): SetupError {
  const error = behind(thrown)
  return new SetupError(`the PostgreSQL at ${address} cannot be used: ${messageOf(error)}`, adviceFor(error), error)
}

/** What the operator can do, by what the server (or the way to it) said. */
function adviceFor(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (error instanceof TooOld) return `use PostgreSQL ${oldest} or newer`
  if (error instanceof ReadOnly || code === '25006') return 'set DATABASE_URL to the primary'
  if (code === '3D000') return 'create the database (`createdb`), or correct its name in DATABASE_URL'
  if (code.startsWith('28') || /^SASL|password/i.test(messageOf(error)))
    return 'correct user and password in DATABASE_URL, or what pg_hba.conf allows'
  if (/ssl|certificate|self.signed/i.test(`${code} ${messageOf(error)}`))
    return 'correct `sslmode` in DATABASE_URL, or hand the certificate’s authority to Node with NODE_EXTRA_CA_CERTS'
  return 'start it, or correct DATABASE_URL; nothing was accepted meanwhile'
}
