import { placeAt, quoted } from './format.ts'
import type { Problem, Routine } from './routine.ts'

/** Characters that people do not see and agents read: directions, zero width, tags, variation selectors outside emoji. */
const hidden =
  /[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164\ufff9-\ufffb\u{e0000}-\u{e01ef}]/gu
const maxHidden = 5

/** What `check` warns about in a file that is valid: what this version cannot do yet, what is never due, an open network, and text that people do not see. */
export function lintRoutine(routine: Routine): Problem[] {
  const { file, source, unavailable } = routine
  const unseen = [...source.matchAll(hidden)].slice(0, maxHidden).map((match): Problem => {
    const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    const hint = 'remove it, unless the language needs it'
    return { file, ...placeAt(source, match.index), message: `there is a hidden character U+${code}`, hint }
  })
  const notYet = unavailable.map(({ key: _key, ...problem }) => problem)
  return [...notYet, ...lintGitHub(routine), ...lintNetwork(routine), ...unseen].sort(
    (a, b) => a.line - b.line || a.column - b.column,
  )
}

/** `owner/name` and addresses are on a forge. */
export const isOnForge = (repository: string): boolean => onForge.test(repository)
const onForge = /^(?:[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9_.-]+$|(?!file:)[a-z][a-z0-9+.-]*:\/\/|[^/\s]+@[^/\s:]+:)/i

/** Events come from repositories on GitHub: a routine of another one is never due by them. */
function lintGitHub({ file, source, github, repository }: Routine): Problem[] {
  if (github.length === 0 || (repository !== null && isOnForge(repository))) return []
  const what = repository === null ? 'without a repository' : `of the repository ${quoted(repository)} on this machine`
  const message = `no event of GitHub is for a routine ${what}`
  const hint = 'write repository: owner/name, or take on.github out'
  return [{ file, ...placeAt(source, source.search(/\bgithub["']?\s*:/)), message, hint }]
}

function lintNetwork({ file, source, network }: Routine): Problem[] {
  if (network !== 'open') return []
  const message = 'network: open lets whatever the agent reads be sent to any public address'
  const hint = 'list the hosts that it needs, such as [registries]'
  return [{ file, ...placeAt(source, Math.max(0, source.search(/^network\s*:/m))), message, hint }]
}
