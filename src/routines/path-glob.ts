/**
 * Whether a changed path counts. `*` and `?` stay within a folder, `**` crosses folders; the last entry that fits decides, and one with
 * `!` before it takes paths out again.
 */
export function isChanged(globs: readonly string[], path: string): boolean {
  const last = globs.findLast((glob) => fits(glob.replace(/^!/, ''), path))
  return last !== undefined && !last.startsWith('!')
}

/** Without regular expressions: those that go back would take for ever on some names. */
export function fits(glob: string, path: string): boolean {
  return walk(glob.split('/'), path.split('/'), {
    isMany: (step) => step === '**',
    isOne: fitsName,
  })
}

const fitsName = (glob: string, name: string): boolean =>
  walk(Array.from(glob), Array.from(name), {
    isMany: (mark) => mark === '*',
    isOne: (mark, letter) => mark === '?' || mark === letter,
  })

type Rules = { isMany(mark: string): boolean; isOne(mark: string, item: string): boolean }

/** Many marks before one: the last mark for any number takes one more item whenever what follows it does not fit. */
function walk(marks: readonly string[], items: readonly string[], { isMany, isOne }: Rules): boolean {
  let [mark, item] = [0, 0]
  let back: { mark: number; item: number } | undefined
  while (item < items.length) {
    if (mark < marks.length && isMany(marks[mark]!)) back = { mark: mark++, item }
    else if (mark < marks.length && isOne(marks[mark]!, items[item]!)) [mark, item] = [mark + 1, item + 1]
    else if (back) [mark, item] = [back.mark + 1, ++back.item]
    else return false
  }
  return marks.slice(mark).every(isMany)
}
