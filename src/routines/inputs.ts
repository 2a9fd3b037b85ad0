import { quoted } from './format.ts'
import { advice } from './nearest.ts'
import type { Inputs, InputSpec } from './routine.ts'

type Value = Inputs[string]
type Read = { value: Value } | { problem: string }

/**
 * What a caller gave, against what the routine declares: defaults filled in, text from a command line made into numbers and
 * booleans. Problems are sentences that name the input and what to do.
 */
export function readInputs(
  specs: Readonly<Record<string, InputSpec>>,
  given: Readonly<Record<string, unknown>>,
): { inputs: Inputs } | { problems: string[] } {
  const known = Object.keys(specs)
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(specs, name))
  const problems = unknown.map(
    (name) => `unknown input ${quoted(name)}: ${known.length === 0 ? 'this routine takes none' : advice(name, known)}`,
  )
  const inputs: [string, Value][] = []
  for (const [name, spec] of Object.entries(specs)) {
    const read = Object.hasOwn(given, name) ? readValue(spec, given[name]) : undefined
    if (read && 'problem' in read) problems.push(`input ${quoted(name)} ${read.problem}`)
    else if (read) inputs.push([name, read.value])
    else if (spec.default !== undefined) inputs.push([name, spec.default])
    else if (spec.required)
      problems.push(`input ${quoted(name)} is missing: give it, or write a default in the routine`)
  }
  return problems.length > 0 ? { problems } : { inputs: Object.fromEntries(inputs) }
}

function readValue(spec: InputSpec, given: unknown): Read {
  if (spec.type === 'string') return typeof given === 'string' ? readText(given) : mustBe('text', given)
  if (spec.type === 'number') {
    const number = typeof given === 'string' ? numberOf(given) : given
    return typeof number === 'number' && Number.isFinite(number) ? { value: number } : mustBe('a number', given)
  }
  const boolean = given === 'true' || given === 'false' ? given === 'true' : given
  return typeof boolean === 'boolean' ? { value: boolean } : mustBe('true or false', given)
}

function mustBe(kind: string, given: unknown): Read {
  const shown = typeof given === 'string' ? given : (JSON.stringify(given) ?? typeof given)
  return { problem: `must be ${kind}, not ${quoted(shown)}` }
}

/** The ledger keeps text as Unicode without NUL. */
function readText(text: string): Read {
  return text.includes('\0') || !text.isWellFormed()
    ? { problem: 'must be valid Unicode without NUL' }
    : { value: text }
}

function numberOf(text: string): number | undefined {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : undefined
}
