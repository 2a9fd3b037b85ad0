/** Bytes that a change adds: lines of one file that stand together, or a part of them. */
export type Added = {
  path: string
  /** Of the file, the line in which they begin. */
  line: number
  bytes: Buffer
}

/** A line may be of any length, so lines are handed on in parts; each part begins with the end of the one before. */
const partBytes = 512 * 1024
/** More than the longest secret takes up in any form. */
const overlapBytes = 200 * 1024
const headBytes = 64 * 1024
const [newline, plus, minus, backslash] = [10, 43, 45, 92]

/**
 * Reads a diff without context (`diff-tree -p -U0 -a --no-renames`) as it comes, in bounded memory. `paths` are those of its sections, in
 * their order: what stands in a diff can be made to look like a name. Throws when it is not such a diff.
 */
export function readAdded(paths: readonly string[], each: (added: Added) => void) {
  const hunk = { minus: 0, plus: 0, line: 0 }
  let [section, head, kind] = [-1, '', 0]
  let kept: Buffer[] = []
  let keptBytes = 0

  function keep(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += partBytes) {
      const part = bytes.subarray(at, at + partBytes)
      // A copy, so that the chunk is not kept with it.
      kept.push(Buffer.from(part))
      keptBytes += part.length
      if (keptBytes >= partBytes + overlapBytes) handOn(overlapBytes)
    }
  }
  function handOn(overlap: number): void {
    if (keptBytes === 0) return
    const bytes = Buffer.concat(kept)
    each({ path: pathOf(section), line: hunk.line, bytes })
    const gone = bytes.subarray(0, bytes.length - overlap)
    for (let at = gone.indexOf(newline); at !== -1; at = gone.indexOf(newline, at + 1)) hunk.line += 1
    kept = overlap === 0 ? [] : [bytes.subarray(gone.length)]
    keptBytes = bytes.length - gone.length
  }
  function pathOf(index: number): string {
    const path = paths[index]
    if (path === undefined) throw new Error(`the diff has more sections than the change has files (${paths.length})`)
    return path
  }
  function endOfHead(): void {
    if (head.startsWith('diff --git ')) section += 1
    const ranges = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(head)
    if (ranges) {
      const [, removed = '1', line = '', added = '1'] = ranges
      Object.assign(hunk, { minus: Number(removed), plus: Number(added), line: Number(line) })
    }
    head = ''
  }
  function endOfLine(): void {
    if (kind === plus) hunk.plus -= 1
    if (kind === minus) hunk.minus -= 1
    if (kind === plus && hunk.plus === 0) handOn(0)
    kind = 0
  }
  function takeHead(part: Buffer, ends: boolean): void {
    head += part.toString('latin1')
    if (head.length > headBytes) throw new Error('the diff has a line where none can be')
    if (ends) endOfHead()
  }
  /** `part` begins within a line or at its beginning, and has its end, the newline, when it `ends`. */
  function takeLine(part: Buffer, ends: boolean): void {
    const begins = kind === 0
    if (begins) kind = part[0]!
    if (begins && ![plus, minus, backslash].includes(kind)) throw new Error('the diff ends within a hunk')
    if (kind === plus) keep(begins ? part.subarray(1) : part)
    if (ends) endOfLine()
  }

  return {
    push(chunk: Buffer): void {
      for (let from = 0; from < chunk.length;) {
        const end = chunk.indexOf(newline, from)
        const to = end === -1 ? chunk.length : end + 1
        const isHead = kind === 0 && hunk.minus + hunk.plus === 0
        ;(isHead ? takeHead : takeLine)(chunk.subarray(from, to), end !== -1)
        from = to
      }
    },
    /** What was added up to here, when no more is read. */
    end: () => handOn(0),
  }
}
