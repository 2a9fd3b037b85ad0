import { basename } from 'node:path'
import { formatProblem } from '../format.ts'
import type { LibrarySnapshot } from '../library/in-force.ts'
import { lintRoutine } from '../lint.ts'
import type { Connector } from '../connectors/connector.ts'
import { lintConnectors } from '../connectors/lint-connectors.ts'
import type { Problem, Routine } from '../routine.ts'
import type { WebhookSource } from '../webhooks/source.ts'
import { compareConnectors, compareSources, type Comparing, type Planned } from './compare-definitions.ts'
import { factChanges } from './fact-changes.ts'
import { factsOf } from './facts.ts'
import { wordChanges, writeChanges } from './word-changes.ts'

export type PlannedRoutine = Planned & {
  /** Its next fires with the changed schedules. */
  next: string[]
  /** The texts word by word, as `git diff --word-diff` writes it; empty for others than changed ones. */
  words: string
  warnings: string[]
}
export type Plan = {
  routines: PlannedRoutine[]
  counts: Record<PlannedRoutine['change'] | 'unchanged', number>
  /** Of webhooks/; those that stay as they are are not among them. */
  sources: Planned[]
  /** Of connectors/, likewise. */
  connectors: Planned[]
}

export type ComparingAll = {
  /** Of routines in force: those that the files change or lack. */
  inForce: readonly Routine[]
  /** Names of those that stay as they are. */
  same: readonly string[]
  files: Pick<LibrarySnapshot, 'routines' | 'broken' | 'problems'>
  /** The next fires of a routine, as people read them. */
  nextOf(routine: Routine): string[]
} & Beside

/** What stands beside the routines; undefined: nobody said anything about them. */
export type Beside = {
  sources?: Comparing<WebhookSource> | undefined
  connectors?: Comparing<Connector> | undefined
}

/** What would change if these files were put in force. */
export function comparePlan({ inForce, same, files, nextOf, sources, connectors }: ComparingAll): Plan {
  const before = new Map(inForce.map((routine) => [routine.name, routine]))
  const present = new Set([...same, ...files.routines.map(({ name }) => name), ...files.broken.keys()])
  const changed = files.routines.flatMap((after) =>
    planned(before.get(after.name), after, nextOf).map((one) => ({
      ...one,
      // It would be in force, and each of its runs end before its agent starts.
      problems: connectors ? lintConnectors([after], connectors.files).map(formatProblem) : [],
    })),
  )
  const broken = [...files.broken].map(([name, problems]) => brokenOne(name, problems, before.has(name)))
  const named = new Set([...files.broken.values()].flat())
  // A file whose name is none of a routine.
  const nameless = files.problems
    .filter((problem) => !named.has(problem))
    .map((problem) => brokenOne(basename(problem.file), [problem], false))
  const removed = inForce
    .filter(({ name }) => !present.has(name))
    .map((routine): PlannedRoutine => {
      const facts = factChanges(factsOf(routine), undefined)
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
    sources: sources ? compareSources(sources) : [],
    connectors: connectors ? compareConnectors(connectors) : [],
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
      facts: factChanges(before && factsOf(before), factsOf(after)),
      next: nextOf(after),
      words: before ? writeChanges(wordChanges(before.source, after.source)) : '',
      warnings: lintRoutine(after).map(formatProblem),
    },
  ]
}
