import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { BadRequest } from '../../errors.ts'
import { findUnavailable } from './availability.ts'
import { checkWritten, type CheckSchedule } from './check-written.ts'
import { splitFile, type FileText } from './file-text.ts'
import { formatProblem, placeAt, quoted } from '../format.ts'
import { FrontMatter, namePattern, routineJsonSchema } from '../keys/front-matter.ts'
import { explainIssues, type Finding } from './issues.ts'
import { checkPrompt } from '../prompt/prompt.ts'
import type { Problem, Routine } from '../routine.ts'
import { toRoutine } from './to-routine.ts'
import { readYaml, type YamlTree } from './yaml-tree.ts'

export type ReadOptions = {
  /** Engine of routines that name none. */
  defaultEngine: string
  /** What is wrong with a schedule, as a sentence. */
  checkSchedule: CheckSchedule
  /** Zone of schedules that name none; default: the machine's. */
  timezone?: string
  /** `optional` where the occasion may bring the repository. */
  repository?: 'required' | 'optional'
}
export type ReadResult = { routine: Routine } | { problems: Problem[] }

/** More than this helps nobody who corrects a file. */
const maxProblems = 20

/**
 * A routine file's text as a Routine, or everything that is wrong with it, in the order of the file. Pure; never throws.
 * `file` names the routine and is repeated in problems. The commit is not known here and is null.
 */
export function readRoutine(file: string, text: string, options: ReadOptions): ReadResult {
  const parts = splitFile(text)
  const name = basename(file).replace(/\.md$/i, '')
  const named = nameProblem(file, name)
  if ('message' in parts) return { problems: [...named, { file, ...parts }] }
  const tree = readTree(parts)
  const offset = parts.frontMatter?.offset ?? 0
  if ('faults' in tree) {
    return refuse([
      ...named,
      ...tree.faults.map(({ offset: at, ...words }) => ({ file, ...placeAt(text, offset + at), ...words })),
    ])
  }
  const at = (finding: Finding): Problem => {
    const { path, at: which, ...words } = finding
    return { file, ...placeAt(text, offset + (which === 'key' ? tree.keyAt(path) : tree.valueAt(path))), ...words }
  }
  const parsed = FrontMatter.safeParse(tree.value)
  if (!parsed.success) {
    const written = { tree, schema: routineJsonSchema(), whole: 'the front matter' }
    return refuse([...named, ...explainIssues(parsed.error.issues, written).map(at)])
  }

  const engine = engineOf(parsed.data, options)
  const { timezone, ...rules } = withDefaults(options)
  const findings = checkWritten(parsed.data, { ...rules, name, engine: engine.name, timezone })
  const marks = checkPrompt(text.slice(parts.promptOffset), Object.keys(parsed.data.inputs))
  const inPrompt = marks.map(({ index, ...words }) => ({
    file,
    ...placeAt(text, parts.promptOffset + index),
    ...words,
  }))
  const empty = parts.prompt === '' && engine.name !== 'command' ? [noPrompt(file, text)] : []
  const problems = [...named, ...findings.map(at), ...inPrompt, ...empty]
  if (problems.length > 0) return refuse(problems)
  const unavailable = findUnavailable(parsed.data, engine.name).map(({ path, ...words }) => ({
    ...at({ path, at: 'key', ...words }),
    key: path.map(String).join('.'),
  }))
  const hash = createHash('sha256').update(text).digest('hex')
  const about = { name, file, source: text, hash, prompt: parts.prompt, unavailable: inOrder(unavailable) }
  return { routine: toRoutine(parsed.data, { ...about, engine, timezone }) }
}

/**
 * For a file that is run once, and for the text of a version kept in the ledger: throws BadRequest with every problem. The
 * repository may be missing, because the occasion may bring one.
 */
export function parseOrRefuse(file: string, text: string, options: ReadOptions): Routine {
  const read = readRoutine(file, text, { ...options, repository: 'optional' })
  if ('routine' in read) return read.routine
  throw new BadRequest(read.problems.map(formatProblem).join('\n'), 'correct the file and try again')
}

function readTree({ frontMatter }: FileText): ReturnType<typeof readYaml> {
  const tree = readYaml(frontMatter?.text ?? '')
  if ('faults' in tree) return tree
  return tree.value === null ? ({ ...tree, value: {} } satisfies YamlTree) : tree
}

function engineOf({ engine }: FrontMatter, { defaultEngine }: ReadOptions): Routine['engine'] {
  const plain = { command: [], model: null, effort: null }
  if (engine === undefined || typeof engine === 'string') return { ...plain, name: engine ?? defaultEngine }
  if ('command' in engine) return { ...plain, ...engine }
  return { ...plain, name: engine.name, model: engine.model ?? null, effort: engine.effort ?? null }
}

function withDefaults(options: ReadOptions): Required<ReadOptions> {
  const machine = () => Intl.DateTimeFormat().resolvedOptions().timeZone
  return { ...options, timezone: options.timezone ?? machine(), repository: options.repository ?? 'required' }
}

function nameProblem(file: string, name: string): Problem[] {
  if (namePattern.test(name)) return []
  const hint = 'rename the file: small letters, digits and -, at most 63, such as nightly-dependencies.md'
  return [{ file, line: 1, column: 1, message: `${quoted(name)} cannot be the name of a routine`, hint }]
}

function noPrompt(file: string, text: string): Problem {
  return {
    file,
    ...placeAt(text, text.length),
    message: 'the prompt is missing',
    hint: 'write below the second --- what is to be done',
  }
}

function refuse(problems: readonly Problem[]): { problems: Problem[] } {
  return { problems: inOrder(problems).slice(0, maxProblems) }
}

function inOrder<T extends Problem>(problems: readonly T[]): T[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
}
