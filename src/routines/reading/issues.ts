import type { core } from 'zod'
import { quoted } from '../format.ts'
import { advice } from '../nearest.ts'
import { keysAt, shapesAt, wordsAt, type JsonSchema } from './schema-keys.ts'
import type { Path, YamlTree } from './yaml-tree.ts'
type Issue = core.$ZodIssue

export type Finding = { path: Path; at: 'key' | 'value'; message: string; hint?: string }

/** What was written, and what may be: `schema` of what people call `whole`. */
export type Written = { tree: YamlTree; schema: JsonSchema; whole: string }

/** What the schema found, as sentences with a place. */
export function explainIssues(issues: readonly Issue[], written: Written): Finding[] {
  return issues.flatMap((issue) => specific(issue, written.tree.value)).flatMap((issue) => explain(issue, written))
}

/**
 * A union says only that nothing fitted. The branch a person meant is the one that has the right kind of value (and the right
 * `name`); its own issues are the ones to show.
 */
function specific(issue: Issue, root: unknown): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const value = valueAt(root, issue.path)
  const fitting = issue.errors.filter(
    (branch) => branch.length > 0 && !branch.some((inner) => isOtherKind(inner, value)),
  )
  const meant = fitting.map((branch) => ({ branch, misses: misses(branch) })).sort((a, b) => a.misses - b.misses)[0]
  if (!meant) return [issue]
  return meant.branch.flatMap((inner) => specific({ ...inner, path: [...issue.path, ...inner.path] }, root))
}

function isOtherKind(inner: Issue, value: unknown): boolean {
  if (inner.path.length > 0) return false
  if (inner.code === 'invalid_type') return true
  if (inner.code === 'invalid_value') return typeof value !== 'string'
  return (
    inner.code === 'invalid_union' &&
    inner.errors.every((branch) => branch.some((deeper) => isOtherKind(deeper, value)))
  )
}

/** A wrong `name` means another branch was meant, more than a wrong or missing key does. */
function misses(branch: readonly Issue[]): number {
  return branch.reduce((sum, inner) => sum + (inner.code === 'invalid_value' ? 10 - inner.values.length : 1), 0)
}

function explain(issue: Issue, { tree, schema, whole }: Written): Finding[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, path, keysAt(schema, path))
  if (issue.code === 'invalid_key') {
    const words = issue.issues[0]?.message ?? 'is not allowed here'
    return [{ path, at: 'key', message: `${quoted(String(path.at(-1)))} ${words}` }]
  }
  const value = valueAt(tree.value, path)
  const name = path.length === 0 ? whole : quoted(path.map(String).join('.'))
  if (value === undefined && path.length > 0) {
    return [{ path, at: 'key', message: `${name} is missing`, hint: `write ${String(path.at(-1))}: …` }]
  }
  const { words, hint } = wordsFor(issue, { value, source: tree.sourceAt(path), schema })
  return [{ path, at: 'value', message: `${name} ${words}`, ...(hint === undefined ? {} : { hint }) }]
}

/** Looking for the nearest key of thousands would take long, and nobody reads so many. */
const maxKeys = 20

function unknownKeys(keys: readonly string[], path: Path, known: readonly string[]): Finding[] {
  return keys.slice(0, maxKeys).map((key) => {
    // Known, but of another form of this map: `command` beside `name: claude`.
    if (known.includes(key))
      return {
        path: [...path, key],
        at: 'key',
        message: `${quoted(key)} does not go with the other keys here`,
        hint: 'remove it',
      }
    return { path: [...path, key], at: 'key', message: `unknown key ${quoted(key)}`, hint: advice(key, known) }
  })
}

type Value = { value: unknown; source: string | undefined; schema: JsonSchema }
type Words = { words: string; hint?: string | undefined }

function wordsFor(issue: Issue, written: Value): Words {
  if (issue.code === 'invalid_type') return wrongKind(issue, written)
  if (issue.code === 'invalid_value' || issue.code === 'invalid_union') return wrongWord(issue.path, written)
  if (issue.code === 'too_small') return { words: tooSmall(issue) }
  if (issue.code === 'too_big') return { words: `must be at most ${issue.maximum}${units[issue.origin] ?? ''}` }
  return { words: issue.message }
}

function wrongWord(path: Path, { value, schema }: Value): Words {
  const known = wordsAt(schema, path)
  const hint =
    typeof value === 'string' && known.length > 0 ? advice(value, known) : `it may be ${shapesAt(schema, path)}`
  return { words: `cannot be ${shown(value)}`, hint }
}

function wrongKind(issue: Issue & { code: 'invalid_type' }, { value, source, schema }: Value): Words {
  const { path, expected } = issue
  if (issue.message.startsWith('must')) return { words: issue.message }
  const words = `must be ${kinds[expected] ?? expected}, not ${shown(value)}`
  if (expected === 'string' && source !== undefined && value !== null)
    return { words, hint: `write it in quotes: ${quoted(source)}` }
  return path.length > 0 && expected === 'object' ? { words, hint: `it may be ${shapesAt(schema, path)}` } : { words }
}

const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
}
const units: Record<string, string> = { string: ' characters', array: ' entries' }

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'a map'
  return typeof value === 'string' ? quoted(value) : (JSON.stringify(value) ?? 'empty')
}

function tooSmall({ origin, minimum, inclusive }: Issue & { code: 'too_small' }): string {
  if (minimum === 1 && origin === 'string') return 'must not be empty'
  if (minimum === 1 && origin === 'array') return 'must have an entry'
  return `must be ${inclusive ? 'at least' : 'more than'} ${minimum}${units[origin] ?? ''}`
}

/** Own properties only. */
function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => {
    return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
      ? (value as Record<PropertyKey, unknown>)[key]
      : undefined
  }, root)
}
