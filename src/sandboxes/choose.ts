import type { Reason } from '../errors.ts'
import type { SandboxName } from './sandbox.ts'

/** What probing found: why a driver does not work here; `undefined` = it works. A driver that does not exist has no entry. */
export type Probes = Partial<Record<SandboxName, string | undefined>>
export type Choice =
  | { driver: SandboxName; /** One line for the log and the run. */ warning: string | undefined }
  /** `away`: the driver to ask what is wrong with it, and whether that passes. */
  | { refused: string; reason: Reason; hint: string; away?: SandboxName }

const byDefault: readonly SandboxName[] = ['docker', 'bubblewrap']

/**
 * What a routine says of its sandbox, null = nothing; `needsWalls`: strangers' text and its repository meet in it. `had`: walls that
 * worked for this run or another one of this service.
 */
export type Wish = { sandbox: SandboxName | null; engine: string; needsWalls: boolean; had?: readonly SandboxName[] }

/** Only a `command` engine, whose program the operator wrote, may go without walls unasked, and only where there never were any. */
export function chooseSandbox({ sandbox, engine, needsWalls, had = [] }: Wish, probes: Probes): Choice {
  if (sandbox !== null) return asFound(sandbox, probes)
  const driver = byDefault.find((name) => works(name, probes))
  if (driver) return { driver, warning: undefined }
  const away = byDefault.find((name) => had.includes(name))
  if (away) {
    const refused = `${away} worked here before and does not now`
    return { refused, reason: 'no_sandbox', hint: whyNone(probes), away }
  }
  if (engine !== 'command') {
    const refused = 'needs a sandbox: install bubblewrap or write sandbox: process'
    return { refused, reason: 'no_sandbox', hint: whyNone(probes) }
  }
  if (needsWalls) {
    const refused = 'text of strangers needs walls, and no sandbox works here: install bubblewrap or docker'
    return { refused, reason: 'no_sandbox', hint: `or write allow_trifecta: true; ${whyNone(probes)}` }
  }
  const warning = `no sandbox works here (${whyNone(probes)}): the command runs as a plain process`
  return { driver: 'process', warning }
}

const whyNone = (probes: Probes) => byDefault.map((name) => `${name}: ${probes[name] ?? 'not probed'}`).join('; ')

function asFound(asked: SandboxName, probes: Probes): Choice {
  if (works(asked, probes)) return { driver: asked, warning: undefined }
  const why = probes[asked]
  if (why !== undefined) {
    const hint =
      asked === 'bubblewrap' ? 'install bubblewrap and allow user namespaces, or write sandbox: process' : why
    return { refused: `sandbox: ${asked} does not work here: ${why}`, reason: 'no_sandbox', hint }
  }
  const hint = `write one of these: ${Object.keys(probes).join(', ')}`
  return { refused: `sandbox: ${asked} is not available in this version`, reason: 'not_available', hint }
}

const works = (name: SandboxName, probes: Probes) => name in probes && probes[name] === undefined
