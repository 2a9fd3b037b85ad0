import type { Ledger } from '../ledger/ledger.ts'
import type { LibrarySnapshot } from '../routines/library/in-force.ts'
import { comparePlan, type Beside, type Plan } from '../routines/plan/compare.ts'
import type { Routine } from '../routines/routine.ts'
import { upcoming } from './schedule/upcoming.ts'

export type PlanTools = { ledger: Ledger; readOnce(file: string, text: string): Routine }
/** `isSame`: the text of a routine in force that is not among the files, and stays as it is. */
export type Proposed = {
  files: LibrarySnapshot
  isSame(name: string): boolean
} & Beside

/** How many coming fires tell what a schedule means. */
const shownFires = 3
const daysAhead = 366

/** What would change if these files were put in force now. Reads alone. */
export async function planAgainst(
  { ledger, readOnce }: PlanTools,
  { files, isSame, ...beside }: Proposed,
): Promise<Plan> {
  const standing = (await ledger.routines.standing()).map(({ name }) => name)
  const same = standing.filter(isSame)
  const kept = new Set(same)
  const versions = await ledger.routines.versionsInForce(standing.filter((name) => !kept.has(name)))
  const nextOf = firesAfter(await ledger.now())
  const inForce = versions.map((version) => readOnce(version.file, version.source))
  return comparePlan({ inForce, same, files, nextOf, ...beside })
}

/** What these files are where nothing is in force. */
export function planAlone({ files, ...beside }: Omit<Proposed, 'isSame'>, now: Date): Plan {
  return comparePlan({ inForce: [], same: [], files, nextOf: firesAfter(now), ...beside })
}

function firesAfter(now: Date): (routine: Routine) => string[] {
  return ({ schedules }) =>
    upcoming(schedules, now, daysAhead)
      .take(shownFires)
      .map(({ local, schedule }) => `${local} ${schedule.timezone}`)
      .toArray()
}
