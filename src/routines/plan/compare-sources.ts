import { basename } from 'node:path'
import { formatProblem } from '../format.ts'
import { nameOf } from '../definitions/read-definition.ts'
import type { WebhookSource } from '../webhooks/source.ts'
import type { SourcesSnapshot } from '../webhooks/sources.ts'
import { factChanges, type FactChange } from './fact-changes.ts'
import { sourceFactsOf } from './source-facts.ts'

/** What would become of a file. */
export type Planned = {
  name: string
  /** `broken`: nothing of it would be put in force. */
  change: 'added' | 'changed' | 'removed' | 'broken'
  /** Of a broken one: is a version of it in force, which would stay? */
  stays: boolean
  /** All of what is added or removed, else those that differ. */
  facts: FactChange[]
  problems: string[]
}

export type ComparingSources = {
  inForce: ReadonlyMap<string, WebhookSource>
  files: Pick<SourcesSnapshot, 'inForce' | 'broken' | 'problems'>
}

/** What would become of webhook sources if these files were put in force. */
export function compareSources({ inForce, files }: ComparingSources): Planned[] {
  const names = new Set([...inForce.keys(), ...files.inForce.keys(), ...files.broken])
  return [...names].sort().flatMap((name): Planned[] => {
    const [before, after] = [inForce.get(name), files.inForce.get(name)]
    if (files.broken.has(name)) {
      const problems = files.problems.filter(({ file }) => nameOf(basename(file)) === name).map(formatProblem)
      return [{ name, change: 'broken', stays: before !== undefined, facts: [], problems }]
    }
    const facts = factChanges(before && sourceFactsOf(before), after && sourceFactsOf(after))
    if (before && after) return facts.length === 0 ? [] : [{ ...plain, name, change: 'changed', facts }]
    return [{ ...plain, name, change: after ? 'added' : 'removed', facts }]
  })
}

const plain = { stays: false, problems: [] }
