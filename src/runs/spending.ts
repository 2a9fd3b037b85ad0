import type { EngineUpdate } from '../engines/engine.ts'
import type { Run } from '../ledger/schema.ts'
import type { Usage } from '../relay/usage.ts'

/** What a run has spent, all its attempts together. An engine may tell no money; tokens are counted outside of it. */
export function createSpending(run: Pick<Run, 'costUsd' | 'tokens'>) {
  let { tokens } = run
  let paidUsd: number | null = null
  return {
    used(usage: Usage): void {
      tokens = {
        input: (tokens?.input ?? 0) + usage.input,
        output: (tokens?.output ?? 0) + usage.output,
        cacheRead: (tokens?.cacheRead ?? 0) + usage.cacheRead,
        cacheWrite: (tokens?.cacheWrite ?? 0) + usage.cacheWrite,
      }
    },
    /** Money is what an engine tells of this attempt by now. */
    hear(event: EngineUpdate): void {
      if (event.sessionUpdate === 'usage_update') paidUsd = event.cost.amount
    },
    total: (): Pick<Run, 'costUsd' | 'tokens'> => ({
      costUsd: paidUsd === null ? run.costUsd : (run.costUsd ?? 0) + paidUsd,
      tokens,
    }),
  }
}
