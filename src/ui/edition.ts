import type { Pause } from '../ledger/pauses.ts'
import type { Alert, Run, ScheduleRow, Slot } from '../ledger/schema.ts'
import type { Clock } from './moment.ts'
import type { PullView } from './pull.ts'
import type { RunItem } from './row.ts'

/** An edition tells of the last day; what is open stays on the page however old it is. */
export const editionHours = 24

/** A routine file that is not in force as written. */
export type FileProblem = { file: string; message: string; hint: string | null }
/** When a routine comes next; `at` is null for one that only people and programs fire. */
export type Coming = {
  routine: string
  at: Date | null
  zone: string | null
  paused: Pause | null
  rolledBack: boolean
}

/** What the ledger holds: runs that have not ended, or ended within the edition, or stand behind an open pull request. */
export type Material = {
  clock: Clock
  runs: readonly Run[]
  /** The open pull requests. */
  pulls: readonly PullView[]
  schedules: readonly ScheduleRow[]
  slots: readonly Slot[]
  /** Names of the routines in force. */
  routines: readonly string[]
  /** Those of which an older version was put back. */
  rolledBack: ReadonlySet<string>
  /** Routines that are held; `routine` null = all of them are. */
  pauses: readonly (Pause & { routine: string | null })[]
  problems: readonly FileProblem[]
  /** Open ones. */
  alerts: readonly Alert[]
  /** Where the page listens for news; null = it does not. */
  live: string | null
}

export type HomeView = {
  clock: Clock
  needsYou: RunItem[]
  ready: { pull: PullView; run: Run | null }[]
  failed: RunItem[]
  running: RunItem[]
  /** Newest first: other endings, and slots for which nothing was started. */
  happened: (RunItem | { slot: Slot })[]
  tonight: Coming[]
  /** All routines are held. */
  paused: Pause | null
  problems: readonly FileProblem[]
  alerts: readonly Alert[]
  counts: { ran: number; ready: number; needsYou: number; failed: number; costUsd: number | null }
  live: string | null
}

/** Sorts the material into the columns of the home page. Every run appears once. */
export function composeEdition(material: Material): HomeView {
  const { clock, pulls } = material
  const runs = [...material.runs].sort((a, b) => timeOf(b) - timeOf(a))
  const since = clock.now.getTime() - editionHours * 3_600_000
  // The run that made the change, not a later one that found nothing to add.
  const behind = (pull: PullView, states: readonly string[]) =>
    runs.find((run) => run.pull === pull.id && states.includes(run.state))
  const ready = pulls.map((pull) => ({ pull, run: behind(pull, ['published']) ?? behind(pull, ['unchanged']) ?? null }))
  const behindOpen = new Set(ready.map(({ run }) => run?.id))
  const retried = new Set(runs.map((run) => run.retryOf))
  const item = (run: Run): RunItem => ({ run, pull: pulls.find((pull) => pull.id === run.pull) ?? null })

  const recent = runs.filter((run) => run.endedAt && run.endedAt.getTime() >= since)
  const failed = recent.filter((run) => isBad(run) && !retried.has(run.id))
  const rest = recent.filter((run) => !behindOpen.has(run.id) && !failed.includes(run))
  const idle = material.slots.filter((slot) => slot.outcome !== 'fired' && slot.at.getTime() >= since)
  const happened = [...rest.map(item), ...idle.map((slot) => ({ slot }))].sort((a, b) => itemTime(b) - itemTime(a))
  const needsYou = runs.filter((run) => run.state === 'needs_approval')
  const prices = recent.flatMap((run) => run.costUsd ?? [])
  return {
    clock,
    // The oldest decision has waited longest.
    needsYou: needsYou.map(item).toReversed(),
    ready,
    failed: failed.map(item),
    running: runs.filter((run) => run.endedAt === null && run.state !== 'needs_approval').map(item),
    happened,
    tonight: coming(material),
    paused: material.pauses.find(({ whole }) => whole) ?? null,
    problems: material.problems,
    alerts: material.alerts,
    counts: {
      ran: recent.filter((run) => run.state !== 'skipped').length + needsYou.length,
      ready: ready.length,
      needsYou: needsYou.length,
      failed: failed.length,
      costUsd: prices.length > 0 ? prices.reduce((sum, price) => sum + price, 0) : null,
    },
    live: material.live,
  }
}

function isBad(run: Run): boolean {
  return run.state === 'failed' || run.state === 'timed_out'
}

function timeOf(run: Run): number {
  return (run.endedAt ?? run.startedAt ?? run.createdAt).getTime()
}

function itemTime(item: RunItem | { slot: Slot }): number {
  return 'slot' in item ? item.slot.at.getTime() : timeOf(item.run)
}

/** Each schedule's next instant, soonest first, then the routines that have none. */
function coming({ schedules, routines, pauses, rolledBack }: Material): Coming[] {
  const paused = new Map(pauses.map((pause) => [pause.routine, pause]))
  const dated = schedules
    .flatMap(({ routine, timezone, nextFireAt }) => (nextFireAt ? { routine, at: nextFireAt, zone: timezone } : []))
    .sort((a, b) => a.at.getTime() - b.at.getTime())
  const scheduled = new Set(dated.map(({ routine }) => routine))
  const others = routines
    .filter((routine) => !scheduled.has(routine))
    .map((routine) => ({ routine, at: null, zone: null }))
  return [...dated, ...others].map((next) => ({
    ...next,
    paused: paused.get(next.routine) ?? null,
    rolledBack: rolledBack.has(next.routine),
  }))
}
