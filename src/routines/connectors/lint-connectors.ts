import { placeAt, quoted } from '../format.ts'
import { advice } from '../nearest.ts'
import type { Problem, Routine } from '../routine.ts'
import type { ConnectorsSnapshot } from './connectors.ts'
import type { ConnectorUse } from './connector.ts'
import { isOpen, notAllowedBy } from './tools.ts'

type Files = Pick<ConnectorsSnapshot, 'inForce' | 'broken'>
type Fault = { message: string; hint: string }

/**
 * Why the agent of a routine cannot have this connector as it is written there; undefined = it can, or its file says why not. Where text of
 * strangers and something private meet, a connector without a list of tools is the way out that joins the three.
 */
export function faultOf(
  use: ConnectorUse,
  { needsWalls }: Pick<Routine, 'needsWalls'>,
  files: Files,
): Fault | undefined {
  const { inForce, broken } = files
  const connector = inForce.get(use.name)
  if (!connector) {
    if (broken.has(use.name)) return undefined
    const known = [...inForce.keys(), ...broken]
    const hint = known.length === 0 ? `write connectors/${use.name}.yaml` : advice(use.name, known)
    return { message: `there is no connector ${quoted(use.name)}`, hint }
  }
  const [entry] = notAllowedBy(connector, use)
  if (entry === undefined) return needsWalls && isOpen(connector, use) ? wayOut(use) : undefined
  const message = `the connector ${use.name} does not allow the tool ${quoted(entry)}`
  return { message, hint: advice(entry, connector.tools ?? []) }
}

const wayOut = ({ name }: ConnectorUse): Fault => ({
  message: `whoever writes what the agent reads can have what the agent sees sent away: it may use every tool of ${name}`,
  hint: `list the tools that it needs (connectors: [{ name: ${name}, tools: [...] }]), or write allow_trifecta: true if that is meant`,
})

/** Connectors that routines name and cannot have: their runs would fail before the agent starts. */
export function lintConnectors(routines: readonly Routine[], files: Files): Problem[] {
  return routines.flatMap((routine) =>
    routine.connectors.flatMap((use) => {
      const { file, source } = routine
      const fault = faultOf(use, routine, files)
      return fault ? [{ file, ...placeAt(source, placeOf(source, use.name)), ...fault }] : []
    }),
  )
}

/** Where the name stands after the key; names are letters, digits and -. */
function placeOf(source: string, name: string): number {
  const key = Math.max(0, source.search(/^["']?connectors["']?\s*:/m))
  const found = new RegExp(`(?<![\\w-])${name}(?![\\w-])`).exec(source.slice(key + 'connectors'.length))
  return found ? key + 'connectors'.length + found.index : key
}
