import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { behind, LedgerUnreachable } from '../errors.ts'
import type { Database } from './store.ts'

const waitsMs = { first: 50, longest: 2_000 }
/** How long a commit may be under way after its connection was lost. */
const underWay = { everyMs: 100, times: 50 }

type Insist = <T>(act: () => Promise<T>) => Promise<T>

/**
 * Repeats what fails because the ledger is away, with pauses, for as long as the lease can still be ours: it counts from
 * the last time an act succeeded.
 */
export function createInsist(leaseMs: number): Insist {
  const state = { heldSince: performance.now() }
  return async (act) => {
    for (let waitMs = waitsMs.first; ; waitMs = Math.min(waitMs * 2, waitsMs.longest)) {
      const asked = performance.now()
      try {
        const answer = await act()
        state.heldSince = Math.max(state.heldSince, asked)
        return answer
      } catch (error) {
        const real = behind(error)
        const leftMs = state.heldSince + leaseMs - performance.now()
        if (!(real instanceof LedgerUnreachable) || leftMs <= 0) throw real
        await delay(Math.min(waitMs, leftMs))
      }
    }
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
