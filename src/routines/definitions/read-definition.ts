import { basename } from 'node:path'
import type { z } from 'zod'
import { unreadable } from '../reading/file-text.ts'
import { placeAt, quoted } from '../format.ts'
import { namePattern } from '../keys/front-matter.ts'
import { explainIssues, type Finding } from '../reading/issues.ts'
import type { Problem } from '../routine.ts'
import type { JsonSchema } from '../reading/schema-keys.ts'
import type { Wanted } from '../library/source.ts'
import { readYaml } from '../reading/yaml-tree.ts'

/** What a file beside the routines defines; its name is the file's name. */
export type Definition = { name: string; file: string }
export type ReadDefinition<T> = { defined: T } | { problems: Problem[] }
/** Pure; never throws. `file` names what is defined. */
export type Read<T> = (file: string, text: string) => ReadDefinition<T>

export type Grammar<Written, T extends Definition> = {
  /** For sentences: `source`, such as `sentry.yaml`. */
  noun: string
  example: string
  schema: z.ZodType<Written>
  jsonSchema(): JsonSchema
  /** Rules about several keys together, which a schema cannot say. */
  check(written: Written): Finding[]
  /** Names that no file may have, and why. */
  taken?: Readonly<Record<string, string>>
  make(written: Written, about: Definition): T
}

/** `*.yaml` and `*.yml`, and no name that begins with a dot. */
export const isDefinitionFile: Wanted = (entry) => /^[^.].*\.ya?ml$/i.test(entry)

/** What a file defines. */
export const nameOf = (entry: string): string => entry.replace(/\.ya?ml$/i, '')

const capBytes = 32 * 1024
const maxProblems = 20

/** A file's text as what it defines, or everything that is wrong with it. */
export function createRead<Written, T extends Definition>(grammar: Grammar<Written, T>): Read<T> {
  return (file, text) => {
    const name = nameOf(basename(file))
    const named = nameProblem(grammar, { file, name })
    if (text.length > capBytes)
      return { problems: [{ file, line: 1, column: 1, message: 'the file is larger than 32 KB', hint: 'write less' }] }
    const fault = unreadable(text)
    if (fault) return { problems: [...named, { file, ...fault }] }
    const start = text.startsWith('\uFEFF') ? 1 : 0
    const tree = readYaml(text.slice(start))
    if ('faults' in tree) {
      const faults = tree.faults.map(({ offset, ...words }) => ({ file, ...placeAt(text, start + offset), ...words }))
      return { problems: [...named, ...faults] }
    }
    const parsed = grammar.schema.safeParse(tree.value ?? {})
    const findings = parsed.success
      ? grammar.check(parsed.data)
      : explainIssues(parsed.error.issues, { tree, schema: grammar.jsonSchema(), whole: 'the file' })
    const problems = findings.map(({ path, at, ...words }): Problem => {
      return { file, ...placeAt(text, start + (at === 'key' ? tree.keyAt(path) : tree.valueAt(path))), ...words }
    })
    if (!parsed.success || problems.length > 0 || named.length > 0)
      return { problems: [...named, ...problems].slice(0, maxProblems) }
    return { defined: grammar.make(parsed.data, { name, file }) }
  }
}

type Naming = Pick<Grammar<never, Definition>, 'noun' | 'example' | 'taken'>

function nameProblem({ noun, example, taken = {} }: Naming, { file, name }: Definition): Problem[] {
  const at = { file, line: 1, column: 1, message: `${quoted(name)} cannot be the name of a ${noun}` }
  if (Object.hasOwn(taken, name)) return [{ ...at, hint: `rename the file; ${taken[name]}` }]
  if (namePattern.test(name)) return []
  return [{ ...at, hint: `rename the file: small letters, digits and -, at most 63, such as ${example}` }]
}
