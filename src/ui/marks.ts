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
  const most = Math.min(a.length, b.length)
  let head = 0
  while (head < most && a[head] === b[head]) head++
  let tail = 0
  while (tail < most - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const same = [...a.slice(0, head), ...a.slice(a.length - tail)].join('').trim().length
  if (same * 3 < Math.min(before.trim().length, after.trim().length)) return undefined
  return [stretched(a, head, tail), stretched(b, head, tail)]
}

function words(text: string): string[] {
  return text.match(/[\p{L}\p{N}_]+|\s+|[^]/gu) ?? []
}

function stretched(all: readonly string[], head: number, tail: number): Stretch[] {
  const end = all.length - tail
  return [
    { text: all.slice(0, head).join(''), marked: false },
    { text: all.slice(head, end).join(''), marked: true },
    { text: all.slice(end).join(''), marked: false },
  ].filter(({ text }) => text !== '')
}

const plain = (text: string): Stretch[] => (text === '' ? [] : [{ text, marked: false }])
