/** The known name a person probably meant, or undefined when nothing is near (more than a third of the letters differ). */
export function nearest(written: string, known: readonly string[]): string | undefined {
  if (written.length > 80) return undefined
  const wanted = written.toLowerCase()
  const ranked = known
    .map((name) => ({ name, steps: distance(wanted, name.toLowerCase()) }))
    .filter(({ name, steps }) => steps <= Math.max(1, Math.floor(Math.max(name.length, wanted.length) / 3)))
    .sort((a, b) => a.steps - b.steps || a.name.localeCompare(b.name))
  return ranked[0]?.name
}

/** `did you mean "x"?`, or else the whole list. */
export function advice(written: string, known: readonly string[]): string {
  const name = nearest(written, known)
  if (name !== undefined) return `did you mean "${name}"?`
  return known.length === 0 ? 'remove it' : `known here: ${known.join(', ')}`
}

/** Levenshtein distance where two neighbours swapped count as one step. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const cell = (i: number, j: number) => rows[i]?.[j] ?? Infinity
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = cell(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? cell(i - 2, j - 2) + 1 : Infinity
      rows[i]?.push(Math.min(replaced, swapped, cell(i - 1, j) + 1, cell(i, j - 1) + 1))
    }
  }
  return cell(a.length, b.length)
}
