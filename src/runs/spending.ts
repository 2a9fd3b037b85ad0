import type { EngineUpdate } from '../engines/engine.ts'
import type { Run } from '../ledger/schema.ts'
import type { Usage } from '../relay/usage.ts'

type Bill = Pick<Run, 'costUsd' | 'tokens'>

/** What the next attempt may spend of a limit: it is the whole run's, as far as earlier attempts told what they spent. */
export function leftOf(limitUsd: number | null, { costUsd }: Pick<Run, 'costUsd'>): number | null {
  return limitUsd === null ? null : Math.max(0, limitUsd - (costUsd ?? 0))
}

/**
 * What a run has spent, all its attempts together. An engine may tell no money; tokens are counted outside of it. Each change is
 * saved at once, one save at a time, so that a worker that is killed has billed what it used.
 */
export function createSpending(run: Bill, save: (bill: Bill) => Promise<unknown>) {
  let { tokens } = run
  let paidUsd: number | null = null
  const state = { changed: false, saving: undefined as Promise<void> | undefined }
  const total = (): Bill => ({
    costUsd: paidUsd === null ? run.costUsd : (run.costUsd ?? 0) + paidUsd,
    tokens,
  })
  async function saveChanges(): Promise<void> {
    while (state.changed) {
      state.changed = false
      // A worker that lost the run may not write it, and hears so at its next step.
      await save(total()).catch(() => undefined)
    }
    state.saving = undefined
  }
  function change(): void {
    state.changed = true
    state.saving ??= saveChanges()
  }
  return {
    used(usage: Usage): void {
      tokens = {
        input: (tokens?.input ?? 0) + usage.input,
        output: (tokens?.output ?? 0) + usage.output,
        cacheRead: (tokens?.cacheRead ?? 0) + usage.cacheRead,
        cacheWrite: (tokens?.cacheWrite ?? 0) + usage.cacheWrite,
      }
      change()
    },
    /** Money is what an engine tells of this attempt by now. */
    hear(event: EngineUpdate): void {
      if (event.sessionUpdate !== 'usage_update') return
      paidUsd = event.cost.amount
      change()
    },
    /** Resolves when everything heard so far is saved, or could not be. */
    saved: async (): Promise<void> => state.saving,
  }
}
