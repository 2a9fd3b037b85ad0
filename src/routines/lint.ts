import { placeAt } from './format.ts'
import type { Problem, Routine } from './routine.ts'

/** Characters that people do not see and agents read: directions, zero width, tags, variation selectors outside emoji. */
const hidden =
  /[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164\ufff9-\ufffb\u{e0000}-\u{e01ef}]/gu
const maxHidden = 5

/** What `check` warns about in a file that is valid: what this version cannot do yet, and text that people do not see. */
export function lintRoutine({ file, source, unavailable }: Routine): Problem[] {
  const unseen = [...source.matchAll(hidden)].slice(0, maxHidden).map((match): Problem => {
    const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    const hint = 'remove it, unless the language needs it'
    return { file, ...placeAt(source, match.index), message: `there is a hidden character U+${code}`, hint }
  })
  return [...unavailable.map(({ key: _key, ...problem }) => problem), ...unseen].sort(
    (a, b) => a.line - b.line || a.column - b.column,
  )
}
