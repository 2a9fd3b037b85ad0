import type { Delivery } from '../ledger/schema.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Log } from '../log.ts'

export type ForgetTools = {
  ledger: Pick<Ledger, 'settings' | 'retention'>
  /** What an event said is kept for so long after it was settled. */
  keptMs: number
  log: Log
}

const dayMs = 86_400_000
const everyMs = 50_000
/** A look is a moment for a store that has one session, and three million events a day. */
const most = { rows: 500, batches: 4 }

/** Each minute, in one of all processes: what old events said is removed. */
export function createForgetting({ ledger, keptMs, log }: ForgetTools) {
  async function removeAll(remove: Ledger['retention']['removeBodies']): Promise<number> {
    let removed = 0
    for (let batch = 0; batch < most.batches; batch++) {
      const rows = await remove({ keptMs, limit: most.rows })
      removed += rows
      if (rows < most.rows) break
    }
    return removed
  }

  return {
    async tick(): Promise<void> {
      if (!(await ledger.settings.take('retention', { everyMs, by: 'service' }))) return
      const bodies = await removeAll(ledger.retention.removeBodies)
      const payloads = await removeAll(ledger.retention.removePayloads)
      if (bodies + payloads > 0) log.info({ bodies, payloads }, 'what old events said was removed; their outcomes stay')
    },
  }
}

/** Why a delivery has no body any more; null = it has the one that came. */
export function removalOf({ settledAt, bodyRemovedAt }: Pick<Delivery, 'settledAt' | 'bodyRemovedAt'>): string | null {
  if (bodyRemovedAt === null) return null
  const days = settledAt === null ? 0 : Math.floor((bodyRemovedAt.getTime() - settledAt.getTime()) / dayMs)
  return `body removed after ${days} ${days === 1 ? 'day' : 'days'}`
}
