/** A stretch of text that both have, or only the older, or only the newer one. */
export type Change = { kind: 'same' | 'removed' | 'added'; text: string }

/** Comparing every word of a stretch with every other; over this the stretch counts as replaced. */
const mostPairs = 1_000_000

/** Word by word, what became of a text. What is the same and what was removed is the older one, and with what was added the newer. */
export function wordChanges(older: string, newer: string): Change[] {
  const [a, b] = [wordsOf(older), wordsOf(newer)]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1
  let end = 0
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1
  const middle = compare(a.slice(start, a.length - end), b.slice(start, b.length - end))
  const tail: Change = { kind: 'same', text: a.slice(a.length - end).join('') }
  return merge([{ kind: 'same', text: a.slice(0, start).join('') }, ...middle, tail])
}

function wordsOf(text: string): string[] {
  return text.match(/\n|[^\S\n]+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? []
}

function compare(a: readonly string[], b: readonly string[]): Change[] {
  if (a.length * b.length > mostPairs)
    return [
      { kind: 'removed', text: a.join('') },
      { kind: 'added', text: b.join('') },
    ]
  const width = b.length + 1
  // The longest common sequence of what is left, from each place on.
  const common = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const skip = Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!)
      common[i * width + j] = a[i] === b[j] ? common[(i + 1) * width + j + 1]! + 1 : skip
    }
  }
  const changes: Change[] = []
  let [i, j] = [0, 0]
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      changes.push({ kind: 'same', text: a[i]! })
      i += 1
      j += 1
    } else if (common[(i + 1) * width + j]! >= common[i * width + j + 1]!) {
      changes.push({ kind: 'removed', text: a[i]! })
      i += 1
    } else {
      changes.push({ kind: 'added', text: b[j]! })
      j += 1
    }
  }
  return [...changes, { kind: 'removed', text: a.slice(i).join('') }, { kind: 'added', text: b.slice(j).join('') }]
}

function merge(changes: readonly Change[]): Change[] {
  const merged: Change[] = []
  for (const { kind, text } of changes) {
    const last = merged.at(-1)
    if (last?.kind === kind) last.text += text
    else if (text !== '') merged.push({ kind, text })
  }
  return merged
}

/** As `git diff --word-diff` writes it, only lines with a change and their neighbours. */
export function writeChanges(changes: readonly Change[]): string {
  const marks = { same: ['', ''], removed: ['[-', '-]'], added: ['{+', '+}'] } as const
  const text = changes
    // A mark is opened and closed on each line, so that every line can be read by itself.
    .map(({ kind, text: words }) => words.replaceAll(/[^\n]+/g, (line) => `${marks[kind][0]}${line}${marks[kind][1]}`))
    .join('')
  const lines = text.split('\n')
  const isMarked = (index: number) => /\[-|-\]|\{\+|\+\}/.test(lines[index] ?? '')
  const kept = lines.map((_, index) => isMarked(index - 1) || isMarked(index) || isMarked(index + 1))
  return lines
    .flatMap((line, index) => {
      if (kept[index]) return [line]
      return kept[index - 1] ? ['…'] : []
    })
    .join('\n')
    .trimEnd()
}
