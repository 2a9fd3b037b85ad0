import { basename } from 'node:path'
import type { Connector } from '../connectors/connector.ts'
import type { DefinitionsSnapshot } from '../definitions/definitions.ts'
import { nameOf, type Definition } from '../definitions/read-definition.ts'
import { formatProblem } from '../format.ts'
import type { WebhookSource } from '../webhooks/source.ts'
import { connectorFactsOf } from './connector-facts.ts'
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

export type Comparing<T> = {
  inForce: ReadonlyMap<string, T>
  files: Pick<DefinitionsSnapshot<T>, 'inForce' | 'broken' | 'problems'>
}

/** What would become of webhook sources if these files were put in force. */
export const compareSources = (sources: Comparing<WebhookSource>): Planned[] => compare(sources, sourceFactsOf)
/** The same of connectors. */
export const compareConnectors = (connectors: Comparing<Connector>): Planned[] => compare(connectors, connectorFactsOf)

type FactsOf<T> = (one: T) => Readonly<Record<string, string | null>>

function compare<T extends Definition>({ inForce, files }: Comparing<T>, factsOf: FactsOf<T>): Planned[] {
  const names = new Set([...inForce.keys(), ...files.inForce.keys(), ...files.broken])
  return [...names].sort().flatMap((name): Planned[] => {
    const [before, after] = [inForce.get(name), files.inForce.get(name)]
    if (files.broken.has(name)) {
      const problems = files.problems.filter(({ file }) => nameOf(basename(file)) === name).map(formatProblem)
      return [{ name, change: 'broken', stays: before !== undefined, facts: [], problems }]
    }
    const facts = factChanges(before && factsOf(before), after && factsOf(after))
    if (before && after) return facts.length === 0 ? [] : [{ ...plain, name, change: 'changed', facts }]
    return [{ ...plain, name, change: after ? 'added' : 'removed', facts }]
  })
}

const plain = { stays: false, problems: [] }
