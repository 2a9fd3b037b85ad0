import type { DiffLine } from './diff.ts'

/** A stretch of a line; marked = this is what differs from its counterpart. */
export type Stretch = { text: string; marked: boolean }

/** Longer lines are minified or generated: marks would not help, and cost. */
const longestLine = 400

/** The lines of a hunk with the changed words marked, where a block of removed lines stands against as many added ones. */
export function markWords(lines: readonly DiffLine[]): { line: DiffLine; stretches: Stretch[] }[] {
  const marked = lines.map((line) => ({ line, stretches: plain(line.text) }))
  for (const { from, size } of blocksOf(lines)) {
    for (let place = from; place < from + size; place++) {
      const pair = compare(lines[place]!.text, lines[place + size]!.text)
      if (!pair) continue
      marked[place]!.stretches = pair[0]
      marked[place + size]!.stretches = pair[1]
    }
  }
  return marked
}

/** Where `size` removed lines are followed by exactly `size` added ones. */
function blocksOf(lines: readonly DiffLine[]): { from: number; size: number }[] {
  const runs: { kind: DiffLine['kind']; from: number; size: number }[] = []
  for (const [from, { kind }] of lines.entries()) {
    const last = runs.at(-1)
    if (last?.kind === kind) last.size++
    else runs.push({ kind, from, size: 1 })
  }
  return runs.filter(({ kind, size }, place) => {
    const next = runs[place + 1]
    return kind === 'removed' && next?.kind === 'added' && next.size === size
  })
}

/** Undefined when the lines have too little in common for marks to help. */
export function compare(before: string, after: string): [Stretch[], Stretch[]] | undefined {
  if (before.length > longestLine || after.length > longestLine) return undefined
  const [a, b] = [words(before), words(after)]
  const kept = commonWords(a, b)
  const same = [...kept.a]
    .map((place) => a[place])
    .join('')
    .trim().length
  if (same * 2 < Math.min(before.trim().length, after.trim().length)) return undefined
  return [stretched(a, kept.a), stretched(b, kept.b)]
}

/** Places of the longest common subsequence in both. Quadratic, which the length limit makes cheap. */
function commonWords(a: readonly string[], b: readonly string[]): { a: Set<number>; b: Set<number> } {
  const width = b.length + 1
  const longest = new Uint16Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const [down, right] = [longest[(i + 1) * width + j]!, longest[i * width + j + 1]!]
      longest[i * width + j] = a[i] === b[j] ? longest[(i + 1) * width + j + 1]! + 1 : Math.max(down, right)
    }
  }
  const kept = { a: new Set<number>(), b: new Set<number>() }
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) {
      kept.a.add(i++)
      kept.b.add(j++)
    } else if (longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!) i++
    else j++
  }
  return kept
}

function words(text: string): string[] {
  return text.match(/[\p{L}\p{N}_]+|\s+|[^]/gu) ?? []
}

function stretched(all: readonly string[], kept: ReadonlySet<number>): Stretch[] {
  const stretches: Stretch[] = []
  for (const [place, text] of all.entries()) {
    const marked = !kept.has(place)
    const last = stretches.at(-1)
    if (last?.marked === marked) last.text += text
    else stretches.push({ text, marked })
  }
  return stretches
}

const plain = (text: string): Stretch[] => (text === '' ? [] : [{ text, marked: false }])
