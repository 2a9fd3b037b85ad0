import type { Ledger } from '../../ledger/ledger.ts'
import type { Alert, RoutineVersion } from '../../ledger/schema.ts'
import type { Log } from '../../log.ts'
import type { Routine } from '../../routines/routine.ts'
import { decideAlerts, slotKey, slotOf, type Found, type LostSlot, type Unstarted } from './decide-alerts.ts'
import { owedSince, type Whole } from './expected-slots.ts'
import { createKnownTexts, type Expected } from './known-texts.ts'
import { steadyAfter, type Steady } from './steady.ts'

export type WatchTools = {
  ledger: Ledger
  routineOf(version: Pick<RoutineVersion, 'file' | 'source'>): Routine
  /**
   * A slot may be without a row for so long, a run without a worker; `everyMs`: the time between two looks; `aliveMs`: a worker
   * that was silent for longer has no hands.
   */
  bounds: { slotMs: number; startMs: number; everyMs: number; aliveMs: number }
  /** Where alerts are sent. */
  urls: readonly string[]
  /** The own clock, in ms. */
  own?: () => number
  log: Log
}

export type Watch = {
  look(): Promise<void>
  /** Alerts that were open when it last looked, whoever told of them; those of faults alone. */
  faults(): readonly Alert[]
}

/** Of slots that stay lost so many are remembered. */
const remembered = 1000

/**
 * Looks whether what should have happened did, by the routines' texts and the rows there are: any process may look, beside
 * the schedulers and without them. What it finds is an alert in the ledger, told once, and cleared when it was made good.
 */
export function createWatch(tools: WatchTools): Watch {
  const { ledger, bounds, urls, log, own = () => performance.now() } = tools
  const texts = createKnownTexts(tools)
  const state = {
    steady: undefined as Steady | undefined,
    lost: [] as readonly Expected[],
    open: [] as readonly Alert[],
    /** Since when, by the own clock, runs wait and nothing explains it. */
    idleSince: undefined as number | undefined,
  }

  async function look(): Promise<void> {
    const now = await ledger.now()
    const steady = steadyAfter(state.steady, { own: own(), ledger: now.getTime() }, bounds.everyMs)
    if (state.steady && steady.last.ledger < state.steady.last.ledger) texts.startOver(now)
    state.steady = steady
    state.open = await ledger.alerts.openFaults()
    await texts.learn(now)
    const runs = await unstarted(steady)
    const steadyMs = steady.last.own - steady.since
    if (steadyMs < bounds.slotMs) return
    const { open } = state
    const slots = await lostSlots(now, open)
    // What others have told of is not made good as long as this process cannot tell.
    const mayJudgeRuns = steadyMs >= bounds.startMs && (runs !== undefined || state.idleSince === undefined)
    await tell({ slots, runs }, mayJudgeRuns ? open : open.filter(({ kind }) => kind !== 'run_not_started'))
  }

  /** A moment between two runs is no standstill: it must be so at every look for the whole time. */
  async function unstarted({ since, last }: Steady): Promise<Unstarted | undefined> {
    const { everyMs, startMs, aliveMs } = bounds
    const found = await ledger.watched.unstarted({ lateMs: Math.min(everyMs, startMs), aliveMs })
    if (!found) state.idleSince = undefined
    else state.idleSince = Math.max(state.idleSince ?? last.own, since)
    const idleMs = state.idleSince === undefined ? 0 : last.own - state.idleSince
    return idleMs >= startMs - everyMs ? found : undefined
  }

  /** New ones, those of earlier looks, and those that any process has told of. */
  async function lostSlots(now: Date, open: readonly Alert[]): Promise<LostSlot[]> {
    const until = new Date(now.getTime() - bounds.slotMs)
    const asked = [...(await texts.due(until)), ...state.lost, ...open.flatMap((alert) => slotOf(alert) ?? [])]
    const unique = [...new Map(asked.map((slot) => [slotKey(slot), slot])).values()]
    const unsettled = await ledger.watched.unsettled(unique, bounds.slotMs)
    const owed = await owedOf(unsettled, now)
    const lost = unsettled.filter((slot) => slot.at <= until && owed(slot))
    state.lost = lost.slice(0, remembered)
    return lost
  }

  /** Is it owed by what the ledger says now? Its routine may be gone, changed or paused since. */
  async function owedOf(slots: readonly LostSlot[], now: Date): Promise<(slot: LostSlot) => boolean> {
    if (slots.length === 0) return () => false
    const whole: Whole = {
      isPaused: (await ledger.pauses.whole()) !== undefined,
      resumedAt: await ledger.pauses.wholeResumedAt(),
    }
    const names = [...new Set(slots.map(({ routine }) => routine))]
    const rows = new Map((await ledger.watched.standingOf(names)).map((row) => [row.name, row]))
    for (const name of names) if (rows.get(name)?.removedAt !== null) texts.forget(name)
    return ({ routine, at }) => {
      const row = rows.get(routine)
      const since = row && owedSince(row, whole, now)
      return since !== undefined && at > since
    }
  }

  async function tell(found: Found, open: readonly Alert[]): Promise<void> {
    const { raise, clear } = decideAlerts(found, open)
    for (const alert of raise) {
      const raised = await ledger.transaction((tx) => tx.alerts.raise(alert, urls))
      if (!raised) continue
      log.error({ alert: raised.id, routine: alert.routine }, alert.message)
      state.open = [raised, ...state.open]
    }
    for (const { id } of clear) {
      const cleared = await ledger.transaction((tx) => tx.alerts.clear(id, urls))
      state.open = state.open.filter((alert) => alert.id !== id)
      if (cleared) log.info({ alert: id, routine: cleared.routine }, `made good: ${cleared.message}`)
    }
  }

  return { look, faults: () => state.open }
}
