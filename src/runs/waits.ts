import type { Ledger } from '../ledger/ledger.ts'
import type { Holder } from '../ledger/owed.ts'
import type { Run } from '../ledger/schema.ts'
import { obstacleOf, type Limits } from './admission.ts'

export type WaitTools = {
  ledger: Pick<Ledger, 'owed' | 'now'>
  unclaimedMs: number
  limits(): Promise<Limits>
}
/** Whether who asks may hear of this routine's runs. */
type MaySee = (routine: string) => boolean
type Standing = { holders: readonly Holder[]; limits: Limits; now: Date; maySee: MaySee }

/** The same runs; of those that are queued `waitsFor` says what they wait for now. Nothing of it is kept: it changes with every run. */
export async function explainWaits(tools: WaitTools, runs: readonly Run[], maySee: MaySee): Promise<Run[]> {
  if (!runs.some((run) => run.state === 'queued')) return [...runs]
  const { ledger, unclaimedMs } = tools
  const [holders, limits, now] = [await ledger.owed.holders(unclaimedMs), await tools.limits(), await ledger.now()]
  return runs.map((run) => ({ ...run, waitsFor: waitsFor(run, { holders, limits, now, maySee }) }))
}

/** A sentence behind “waits for”; null for a run that does not wait. */
export function waitsFor(run: Run, { holders, limits, now, maySee }: Standing): string | null {
  if (run.state !== 'queued') return null
  if (run.notBefore.getTime() > now.getTime()) return run.waitsFor ?? 'its time'
  if (holders.some((holder) => holder.id === run.id)) return 'a worker to take it'
  const obstacle = obstacleOf(run, holders, limits)
  if (obstacle) {
    const seen = new Set(holders.filter(({ routine }) => maySee(routine)).map(({ id }) => id))
    return `${oneOf(obstacle.others, seen)} to end${where[obstacle.of](run)}`
  }
  if (limits.slots === 0) return 'a worker: none is running'
  const isFull = holders.filter((holder) => holder.atWork).length >= limits.slots
  return isFull ? `a free worker: all ${limits.slots} are at work` : 'its turn'
}

const where = {
  key: ({ concurrencyKey }: Run) => (concurrencyKey === '' ? '' : ` (concurrency ${concurrencyKey})`),
  routine: () => ' (limits.at_once)',
  repository: ({ repository }: Run) => ` (on ${repository})`,
  sender: ({ sender }: Run) => ` (of ${sender})`,
} as const

const mostNamed = 3

function oneOf(runs: readonly string[], seen: ReadonlySet<string>): string {
  const known = runs.filter((id) => seen.has(id))
  const hidden = runs.length - known.length
  if (known.length === 0) return hidden === 1 ? 'a run of another routine' : `one of ${hidden} runs of other routines`
  return `${runs.length > 1 ? 'one of ' : ''}${named(known)}${hidden > 0 ? ` and ${hidden} of other routines` : ''}`
}

function named(runs: readonly string[]): string {
  const more = runs.length > mostNamed ? ` and ${runs.length - mostNamed} more` : ''
  return `run${runs.length === 1 ? '' : 's'} ${runs.slice(0, mostNamed).join(', ')}${more}`
}
