import { messageOf, OvernightError, StepFailed } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { OutboxRow } from '../ledger/schema.ts'
import type { Log } from '../log.ts'
import { createInTurn } from '../routines/library/in-turn.ts'

export type PlanTellerTools = {
  ledger: Pick<Ledger, 'outbox' | 'now'>
  /** Safe to repeat. Takes less than two minutes; throws why it could not be told. */
  tell(pull: number, signal: AbortSignal): Promise<void>
  /** Of a pull request, for people. */
  addressOf(pull: number): string
  log: Log
}
export type PlanTeller = {
  /** This delivery says that a pull request has another head than before. Resolves when that is on record. */
  heard(news: { pull: number; delivery: string }): Promise<void>
  /** Tells what is due by now. Rejects when the ledger does. */
  tick(): Promise<void>
  stop(): Promise<void>
}

/** Longer than telling takes; after it the process that was at it is taken for dead. */
const holdMs = 150_000
const [firstPauseMs, longestPauseMs] = [5000, 600_000]
/** Whoever reads the pull request after a day has decided without it. */
const patienceMs = 86_400_000

type Failure = { tries: number; ageMs: number }
/**
 * What to do about a comment that could not be written: whatever the reason, somebody may mend it within the day. Not that a pull request
 * brings too much: whoever mends that pushes, which is told anew, and each try would fetch as much.
 */
export function afterFailure(error: unknown, { tries, ageMs }: Failure): { inMs: number } | 'give_up' {
  if (error instanceof StepFailed && error.reason === 'too_large') return 'give_up'
  const wanted = error instanceof OvernightError ? (error.retryAfterMs ?? 0) : 0
  const inMs = Math.max(wanted, Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(tries - 1, 20)))
  return ageMs + inMs > patienceMs ? 'give_up' : { inMs }
}

/** Tells pull requests their plans: each is owed by the ledger until it was told, and one of all processes is at it. */
export function createPlanTeller({ ledger, tell, addressOf, log }: PlanTellerTools): PlanTeller {
  const { outbox } = ledger
  const stopped = new AbortController()

  async function failed(row: OutboxRow, error: unknown): Promise<void> {
    if (stopped.signal.aborted) return outbox.untried(row.id)
    const ageMs = (await ledger.now()).getTime() - row.createdAt.getTime()
    const next = afterFailure(error, { tries: row.tries, ageMs })
    const told = { pull: row.url, tries: row.tries, error: messageOf(error) }
    const hint = error instanceof OvernightError && error.hint !== undefined ? { hint: error.hint } : {}
    if (next === 'give_up') {
      log.error({ ...told, ...hint }, 'a pull request was not told its plan, and is not any more')
      return outbox.giveUp(row.id, told.error)
    }
    // It is tried often, and said once.
    if (row.tries === 1) log.warn({ ...told, ...hint }, 'a pull request could not be told its plan; it is tried again')
    return outbox.later(row.id, { error: told.error, inMs: next.inMs })
  }

  /** `begun`: when the pull requests were looked at last; what was heard before that was told then. */
  async function tellOne(row: OutboxRow, begun: Map<string, Date>): Promise<void> {
    const last = begun.get(row.url)
    if (last === undefined || last <= row.createdAt) {
      const now = await ledger.now()
      try {
        await tell(Number(row.body['pull']), stopped.signal)
      } catch (error) {
        return failed(row, error)
      }
      begun.set(row.url, now)
    }
    await outbox.sent(row.id)
  }

  const turns = createInTurn(async () => {
    const begun = new Map<string, Date>()
    while (!stopped.signal.aborted) {
      const wanted = { addresses: 1, each: 1, holdMs, kinds: ['plan.comment'] as const, besides: [] }
      const [row] = await outbox.take(wanted)
      if (!row) return
      await tellOne(row, begun)
    }
  })
  return {
    async heard({ pull, delivery }) {
      await outbox.put({ id: `plan-${delivery}`, kind: 'plan.comment', url: addressOf(pull), body: { pull } })
      // A ledger that is away is there at the next tick.
      if (!stopped.signal.aborted) turns.run().catch(() => {})
    },
    tick: () => turns.run(),
    async stop() {
      stopped.abort()
      await turns.idle()
    },
  }
}
