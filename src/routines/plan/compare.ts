import { basename } from 'node:path'
import { formatProblem } from '../format.ts'
import type { LibrarySnapshot } from '../in-force.ts'
import { lintRoutine } from '../lint.ts'
import type { Problem, Routine } from '../routine.ts'
import { factsOf, type Facts } from './facts.ts'
import { wordChanges, writeChanges } from './word-changes.ts'

/** A fact as it is in force and as it would be; null = there is nothing to say then. */
export type FactChange = { what: keyof Facts; before: string | null; after: string | null }
export type PlannedRoutine = {
  name: string
  change: 'added' | 'changed' | 'removed' | 'broken'
  /** Of a broken one: is a version of it in force, which would stay? */
  stays: boolean
  /** All of an added or removed routine, else those that differ. */
  facts: FactChange[]
  /** Its next fires with the changed schedules. */
  next: string[]
  /** The texts word by word, as `git diff --word-diff` writes it; empty for others than changed ones. */
  words: string
  problems: string[]
  warnings: string[]
}
export type Plan = {
  routines: PlannedRoutine[]
  counts: Record<PlannedRoutine['change'] | 'unchanged', number>
}

export type Comparing = {
  /** Of routines in force: those that the files change or lack. */
  inForce: readonly Routine[]
  /** Names of those that stay as they are. */
  same: readonly string[]
  files: Pick<LibrarySnapshot, 'routines' | 'broken' | 'problems'>
  /** The next fires of a routine, as people read them. */
  nextOf(routine: Routine): string[]
}

/** What would change if these files were put in force. */
export function comparePlan({ inForce, same, files, nextOf }: Comparing): Plan {
  const before = new Map(inForce.map((routine) => [routine.name, routine]))
  const present = new Set([...same, ...files.routines.map(({ name }) => name), ...files.broken.keys()])
  const changed = files.routines.flatMap((after) => planned(before.get(after.name), after, nextOf))
  const broken = [...files.broken].map(([name, problems]) => brokenOne(name, problems, before.has(name)))
  const named = new Set([...files.broken.values()].flat())
  // A file whose name is none of a routine.
  const nameless = files.problems
    .filter((problem) => !named.has(problem))
    .map((problem) => brokenOne(basename(problem.file), [problem], false))
  const removed = inForce
    .filter(({ name }) => !present.has(name))
    .map((routine): PlannedRoutine => {
      const facts = factChanges(routine, undefined)
      return { ...blank, name: routine.name, change: 'removed', facts }
    })
  const routines = [...changed, ...broken, ...nameless, ...removed].sort((a, b) => (a.name < b.name ? -1 : 1))
  const count = (change: PlannedRoutine['change']) => routines.filter((one) => one.change === change).length
  const unchanged = same.length + files.routines.length - changed.length
  return {
    routines,
    counts: {
      added: count('added'),
      changed: count('changed'),
      removed: count('removed'),
      broken: count('broken'),
      unchanged,
    },
  }
}

const blank = { stays: false, facts: [], next: [], words: '', problems: [], warnings: [] }

function brokenOne(name: string, problems: readonly Problem[], stays: boolean): PlannedRoutine {
  return { ...blank, name, change: 'broken', stays, problems: problems.map(formatProblem) }
}

function planned(
  before: Routine | undefined,
  after: Routine,
  nextOf: (routine: Routine) => string[],
): PlannedRoutine[] {
  if (before?.hash === after.hash) return []
  return [
    {
      ...blank,
      name: after.name,
      change: before ? 'changed' : 'added',
      facts: factChanges(before, after),
      next: nextOf(after),
      words: before ? writeChanges(wordChanges(before.source, after.source)) : '',
      warnings: lintRoutine(after).map(formatProblem),
    },
  ]
}

/** A rule that came or went with a routine that stays. */
const none = 'none'

function factChanges(before: Routine | undefined, after: Routine | undefined): FactChange[] {
  const [old, now] = [before && factsOf(before), after && factsOf(after)]
  const names = Object.keys(old ?? now ?? {}) as (keyof Facts)[]
  return names
    .map((what) => ({ what, before: old?.[what] ?? null, after: now?.[what] ?? null }))
    .filter((fact) => fact.before !== fact.after)
    .map((fact) => (old && now ? { what: fact.what, before: fact.before ?? none, after: fact.after ?? none } : fact))
}
