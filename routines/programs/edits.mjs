// Parts of a text, replaced and taken out.

/** Replaces parts of a text. `edits` are `{ start, end, text }` that do not overlap. */
export function edited(source, edits) {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: by }) => text.slice(0, start) + by + text.slice(end), source)
}

/** The whole lines of a part that shares them with nothing else, and one of two blank lines around it; else the part and the blanks behind it. */
export function wholeLines({ start, end }, source) {
  const before = /(^|\n)[^\S\n]*$/.exec(source.slice(0, start))
  const after = /^[^\S\n]*(\n|$)/.exec(source.slice(end))
  if (!before || !after) return { start, end: end + /^[^\S\n]*/.exec(source.slice(end))[0].length }
  const lines = { start: start - before[0].length + before[1].length, end: end + after[0].length }
  const blankAbove = /(?:^|\n[^\S\n]*\n)$/.exec(source.slice(0, lines.start))
  const blankBelow = /^[^\S\n]*\n/.exec(source.slice(lines.end))
  if (blankAbove && blankBelow) return { ...lines, end: lines.end + blankBelow[0].length }
  // The last thing in a file takes the blank line above it along.
  if (blankAbove && lines.end === source.length)
    return { ...lines, start: lines.start - Math.max(0, blankAbove[0].length - 1) }
  return lines
}

/** Takes names out of braces (`names` as read, with their places) and keeps the style of the others. */
export function withoutNames(names, gone, source) {
  return names
    .filter((name) => gone.includes(name))
    .map((name) => {
      const behind = /^\s*,(?:[^\S\n]*\/\/[^\n]*)?/.exec(source.slice(name.end))
      const before = /(?:,\s*)?$/.exec(source.slice(0, name.start))
      const isLast = !names.slice(names.indexOf(name) + 1).some((later) => !gone.includes(later))
      if (isLast) return { start: name.start - before[0].length, end: name.end, text: '' }
      return { ...wholeLines({ start: name.start, end: name.end + (behind?.[0].length ?? 0) }, source), text: '' }
    })
}
