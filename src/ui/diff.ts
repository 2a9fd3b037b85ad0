export type DiffLine = { kind: 'same' | 'added' | 'removed' | 'note'; number: number | null; text: string }
export type Hunk = { context: string; lines: DiffLine[] }
/** One file of a unified diff; `binary` files have no hunks. */
export type FileDiff = { path: string; binary: boolean; hunks: Hunk[] }

/** Where a reader of a hunk stands, and how many lines of each side the hunk still has. */
type Place = { at: { old: number; new: number }; left: { old: number; new: number } }

/** Reads a unified diff as git prints it. A diff that was cut in the middle gives what is there. */
export function readDiff(text: string): FileDiff[] {
  const files: FileDiff[] = []
  const place: Place = { at: { old: 0, new: 0 }, left: { old: 0, new: 0 } }
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const file = files.at(-1)
    const hunk = file?.hunks.at(-1)
    // Counted, not guessed: a removed line may well begin with `-- ` or `diff --git`.
    const inside = place.left.old > 0 || place.left.new > 0 || line.startsWith('\\')
    if (hunk && inside) readLine(hunk, line, place)
    else if (line.startsWith('diff --git ')) files.push({ path: pathOfHeader(line), binary: false, hunks: [] })
    else if (file) readHeader(file, line, place)
  }
  return files
}

function readLine(hunk: Hunk, line: string, place: Place): void {
  const read = lineOf(line, place.at)
  hunk.lines.push(read)
  for (const side of ['old', 'new'] as const) {
    place.left[side] -= takes[read.kind][side]
    place.at[side] += takes[read.kind][side]
  }
}

const takes = {
  same: { old: 1, new: 1 },
  added: { old: 0, new: 1 },
  removed: { old: 1, new: 0 },
  note: { old: 0, new: 0 },
} as const

/** The number is the line's place in the file that has it: the old one for removed lines, else the new one. */
function lineOf(line: string, at: { old: number; new: number }): DiffLine {
  const text = line.slice(1)
  if (line.startsWith('+')) return { kind: 'added', number: at.new, text }
  if (line.startsWith('-')) return { kind: 'removed', number: at.old, text }
  if (line.startsWith('\\')) return { kind: 'note', number: null, text: text.trim() }
  return { kind: 'same', number: at.new, text }
}

function readHeader(file: FileDiff, line: string, place: Place): void {
  const range = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$/s.exec(line)
  if (range) {
    place.at = { old: Number(range[1]), new: Number(range[3]) }
    place.left = { old: Number(range[2] ?? 1), new: Number(range[4] ?? 1) }
    file.hunks.push({ context: range[5] ?? '', lines: [] })
    return
  }
  if (line.startsWith('Binary files ') || line === 'GIT binary patch') file.binary = true
  const named = /^(?:---|\+\+\+) (.+)$/s.exec(line)?.[1]
  const path = named === undefined ? undefined : unquote(named.replace(/\t$/, ''))
  if (path !== undefined && path !== '/dev/null') file.path = path.slice(2)
}

/** `a/x b/x`: both halves are the same path, so the middle is known even when the path has spaces. */
function pathOfHeader(line: string): string {
  const both = line.slice('diff --git '.length)
  const half = both.slice(0, (both.length - 1) / 2)
  return unquote(half).slice(2)
}

/** Git quotes odd paths as C strings, bytes in octal. */
function unquote(path: string): string {
  if (!path.startsWith('"') || !path.endsWith('"')) return path
  const plain: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\u0007', b: '\b', f: '\f', v: '\v' }
  const bytes: Buffer[] = []
  for (const [part] of path.slice(1, -1).matchAll(/\\[0-7]{3}|\\.|[^\\]+/gs)) {
    if (!part.startsWith('\\')) bytes.push(Buffer.from(part))
    else if (/^\\\d{3}$/.test(part)) bytes.push(Buffer.from([Number.parseInt(part.slice(1), 8)]))
    else bytes.push(Buffer.from(plain[part.charAt(1)] ?? part.charAt(1)))
  }
  return Buffer.concat(bytes).toString('utf8')
}
