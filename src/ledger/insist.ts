import { setTimeout as delay } from 'node:timers/promises'
import { sql } from './sql.ts'
import { behind, LedgerUnreachable } from '../errors.ts'
import type { Database } from './store.ts'

/** The longest is less than others leave to the owner of a run once the ledger is back. */
const waitsMs = { first: 50, longest: 1_000 }
/** A server that is restored from a backup, or a cluster that elects another one, is back by then. */
const patienceMs = 600_000
/** How long a commit may be under way after its connection was lost. */
const underWay = { everyMs: 100, times: 50 }

type Insist = <T>(act: () => Promise<T>) => Promise<T>
export type Patience = {
  leaseMs: number
  /** How long a ledger that is away is waited for, at least the lease. Default 10 min. */
  patienceMs?: number
  /** This process is to end: from then on it waits no longer than the lease. */
  stop?: AbortSignal
}

/**
 * Repeats what fails because the ledger is away, with pauses: while it is, nobody can take the run over. The time counts
 * from the last act that succeeded.
 */
export function createInsist({ leaseMs, stop, ...given }: Patience): Insist {
  const state = { heldSince: performance.now() }
  const patience = Math.max(leaseMs, given.patienceMs ?? patienceMs)
  return async (act) => {
    for (let waitMs = waitsMs.first; ; waitMs = Math.min(waitMs * 2, waitsMs.longest)) {
      const asked = performance.now()
      try {
        const answer = await act()
        state.heldSince = Math.max(state.heldSince, asked)
        return answer
      } catch (error) {
        const real = behind(error)
        const leftMs = state.heldSince + (stop?.aborted ? leaseMs : patience) - performance.now()
        if (!(real instanceof LedgerUnreachable) || leftMs <= 0) throw real
        await delay(Math.min(waitMs, leftMs))
      }
    }
  }
}

/** An answer that does not come within `ms` is not waited for: the next try takes another line, as this one may be dead. */
export async function answeredWithin<T>(ms: number, answer: Promise<T>): Promise<T> {
  const answered = new AbortController()
  const late = delay(ms, undefined, { signal: answered.signal }).then(() => {
    throw new LedgerUnreachable(`no answer for ${ms / 1000} s`, undefined)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    answered.abort()
  }
}

/** For the `returning` of a write: the number by which its transaction is known later. */
export const transactionId = sql<string>`pg_current_xact_id()::text`

/** Whether a commit whose answer was lost has happened. */
export async function isCommitted(db: Database, transaction: string): Promise<boolean> {
  for (let left = underWay.times; left > 0; left--) {
    const status = await statusOf(db, transaction)
    if (status !== 'in progress') return status === 'committed'
    await delay(underWay.everyMs)
  }
  throw new Error('the ledger does not say whether a transaction was committed')
}

async function statusOf(db: Database, transaction: string): Promise<string | null> {
  try {
    const result = await db.execute<{ status: string | null }>(
      sql`select pg_xact_status(${transaction}::xid8) as status`,
    )
    return result.rows[0]!.status
  } catch (error) {
    const real = behind(error)
    // invalid_parameter_value: "in the future" – another server took over that has never heard of it.
    if (real instanceof Error && 'code' in real && real.code === '22023') return null
    throw error
  }
}
