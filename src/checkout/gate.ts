import { isMeantBinary } from './binary-kinds.ts'
import type { Change, Finding } from './patch.ts'
import type { PlaceRule } from './protected-names.ts'
import { foldPath, isStrangePath, placesOf } from './protected-paths.ts'

export type GateRules = {
  maxFiles: number
  maxBytes: number
  /** Whether the routine may change this path at all; what it may change can still be protected. */
  mayChange(path: string): boolean
}
const gateRules: GateRules = { maxFiles: 100, maxBytes: 4 * 1024 * 1024, mayChange: () => true }

/** Why a person has to look before this change is published; empty when nobody has to. Decides by paths, sizes and modes alone. */
export function gate(changes: readonly Change[], rules: GateRules = gateRules): Finding[] {
  const bytes = changes.reduce((sum, change) => sum + change.bytes, 0)
  return [
    ...(changes.length > rules.maxFiles
      ? [{ rule: 'files', path: null, message: `${changes.length} files are changed; up to ${rules.maxFiles} pass` }]
      : []),
    ...(bytes > rules.maxBytes
      ? [
          {
            rule: 'bytes',
            path: null,
            message: `${megabytes(bytes)} of content is new; up to ${megabytes(rules.maxBytes)} pass`,
          },
        ]
      : []),
    ...changes.flatMap((change) => [
      ...placeFindings(change, rules),
      ...pathFindings(change),
      ...modeFindings(change),
      ...binaryFindings(change),
    ]),
  ]
}

const sentences: Record<PlaceRule, string> = {
  workflow: 'is run by the forge or a build system',
  agent_settings: 'steers coding agents',
  hooks: 'is run by git or an editor, or steers them',
  tools: 'names what tools load and where from',
  owners: 'decides who reviews',
}

function placeFindings({ path }: Change, { mayChange }: GateRules): Finding[] {
  if (mayChange(path)) return []
  return [{ rule: 'paths', path, message: `${JSON.stringify(path)} is outside the paths of this routine` }]
}

function pathFindings({ path }: Change): Finding[] {
  const shown = JSON.stringify(path)
  const places = [...placesOf(foldPath(path))].map((rule) => ({ rule, path, message: `${shown} ${sentences[rule]}` }))
  return isStrangePath(path)
    ? [...places, { rule: 'path', path, message: `${shown} reads differently on another system` }]
    : places
}

const regular = new Set(['100644', '100755'])
const known = new Set([...regular, '120000', '160000', '000000'])

function modeFindings({ path, oldMode, newMode, status }: Change): Finding[] {
  const shown = JSON.stringify(path)
  const found: Finding[] = []
  if (newMode === '120000' || (oldMode === '120000' && status !== 'deleted')) {
    found.push({ rule: 'symlink', path, message: `${shown} is a symbolic link` })
  }
  if (oldMode === '160000' || newMode === '160000')
    found.push({ rule: 'submodule', path, message: `${shown} is a submodule` })
  const says = modeSentence(oldMode, newMode)
  if (says !== undefined) found.push({ rule: 'mode', path, message: `${shown} ${says}` })
  if (!known.has(newMode) || !known.has(oldMode))
    found.push({ rule: 'mode', path, message: `${shown} has the odd mode ${newMode}` })
  return found
}

/** A rename is a removal and an addition, so one that also makes a file executable is seen as a new executable. */
function modeSentence(oldMode: string, newMode: string): string | undefined {
  if (oldMode === newMode || !regular.has(newMode)) return undefined
  if (oldMode === '000000') return newMode === '100755' ? 'is new and executable' : undefined
  if (!regular.has(oldMode)) return undefined
  return newMode === '100755' ? 'becomes executable' : 'is no longer executable'
}

/** One NUL byte among the first of a text is enough for git, forges and pages to show nothing of it. */
function binaryFindings({ path, binary, newMode }: Change): Finding[] {
  if (!binary || !regular.has(newMode) || isMeantBinary(path)) return []
  const message = `${JSON.stringify(path)} is binary for git: people are shown nothing of what it adds`
  return [{ rule: 'binary', path, message }]
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
