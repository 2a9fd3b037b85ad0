import type { Happening } from '../ledger/background.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Run } from '../ledger/schema.ts'
import type { Background, Event } from './brief.ts'

type Held = NonNullable<Happening['delivery']>
export type BackgroundTools = {
  ledger: Pick<Ledger, 'background' | 'now'>
  /** What a delivery says, as the one who received it read it. */
  payloadOf(delivery: Held): Record<string, unknown>
}

/** What a run is told about its past and its cause. */
export async function readBackground({ ledger, payloadOf }: BackgroundTools, run: Run): Promise<Background> {
  const { happenings, leftOut, trigger } = await ledger.background.happeningsOf(run)
  const lastSuccess = await ledger.background.lastSuccess(run.routine)
  const missed = await ledger.background.missedSince(run.routine, lastSuccess?.slotAt ?? lastSuccess?.createdAt)
  const events = happenings.map(({ delivery, payload, by, trigger: cause, createdAt }): Event => ({
    trigger: cause,
    by,
    at: createdAt,
    source: delivery?.source ?? null,
    name: delivery?.event ?? null,
    delivery: delivery?.id ?? null,
    payload: { ...(delivery ? payloadOf(delivery) : {}), ...payload },
  }))
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  return { events, leftOut, trigger, lastSuccess: lastSuccess ?? null, missed, now: await ledger.now(), zone }
}
