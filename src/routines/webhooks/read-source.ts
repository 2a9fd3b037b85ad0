import { basename } from 'node:path'
import { unreadable } from '../file-text.ts'
import { placeAt, quoted } from '../format.ts'
import { namePattern } from '../front-matter.ts'
import { explainIssues } from '../issues.ts'
import type { Problem } from '../routine.ts'
import { readYaml } from '../yaml-tree.ts'
import { checkSource, type CheckUrl } from './check-source.ts'
import { SourceFile, sourceJsonSchema } from './source-keys.ts'
import type { WebhookSource } from './source.ts'
import { toSource } from './to-source.ts'

export type ReadSource = { source: WebhookSource } | { problems: Problem[] }

/** `/hooks/github` is the forge's own, and has rules of its own. */
const taken = ['github']
const capBytes = 32 * 1024
const maxProblems = 20

/** Of the source that a file describes. */
export const nameOf = (entry: string): string => entry.replace(/\.ya?ml$/i, '')

/**
 * A source file's text as a WebhookSource, or everything that is wrong with it. Pure; never throws. `file` names the source.
 * `checkUrl` is for whoever checks a file where it will be used: which addresses may be asked is no matter of the file.
 */
export function readSource(file: string, text: string, checkUrl: CheckUrl = () => undefined): ReadSource {
  const name = nameOf(basename(file))
  const named = nameProblem(file, name)
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
  const parsed = SourceFile.safeParse(tree.value ?? {})
  const findings = parsed.success
    ? checkSource(parsed.data, checkUrl)
    : explainIssues(parsed.error.issues, { tree, schema: sourceJsonSchema(), whole: 'the file' })
  const problems = findings.map(({ path, at, ...words }): Problem => {
    return { file, ...placeAt(text, start + (at === 'key' ? tree.keyAt(path) : tree.valueAt(path))), ...words }
  })
  if (!parsed.success || problems.length > 0 || named.length > 0)
    return { problems: [...named, ...problems].slice(0, maxProblems) }
  return { source: { name, file, ...toSource(parsed.data) } }
}

function nameProblem(file: string, name: string): Problem[] {
  const at = { file, line: 1, column: 1 }
  if (taken.includes(name)) {
    const hint = 'rename the file; events of repositories come to /hooks/github and need no file'
    return [{ ...at, message: `${quoted(name)} cannot be the name of a source`, hint }]
  }
  if (namePattern.test(name)) return []
  const hint = 'rename the file: small letters, digits and -, at most 63, such as sentry.yaml'
  return [{ ...at, message: `${quoted(name)} cannot be the name of a source`, hint }]
}
