import { z } from 'zod'
import type { SourceTree } from '../library/source.ts'
import type { DefinitionsSnapshot } from './definitions.ts'
import { nameOf, type Definition, type Read } from './read-definition.ts'

/** Files as they were when they were last good, by the name of what they define. */
const GoodTexts = z.record(z.string(), z.object({ file: z.string(), text: z.string() }))
export type GoodTexts = Readonly<z.output<typeof GoodTexts>>
/** What is known from before this process. */
export type DefinitionMemory = {
  recall(): Promise<GoodTexts>
  keep(texts: GoodTexts): Promise<void>
  /** Other processes go by what is kept: what is not in force is not kept either. */
  isShared?: boolean
}

/** What another version kept, or nobody, is nothing. */
export const parseGoodTexts = (kept: unknown): GoodTexts => GoodTexts.safeParse(kept).data ?? {}

/** What these texts define; one that this version does not read any more is of no use. */
export function definedBy<T extends Definition>(texts: GoodTexts, read: Read<T>): Map<string, T> {
  const found = Object.values(texts).flatMap(({ file, text }) => {
    const one = read(file, text)
    return 'defined' in one ? [one.defined] : []
  })
  return new Map(found.map((one) => [one.name, one]))
}

/** The texts of all that is in force after a look: of a file that is good its own, of a broken one what was kept. */
export function goodTexts<T>(
  before: GoodTexts,
  tree: SourceTree,
  { inForce, broken }: Pick<DefinitionsSnapshot<T>, 'inForce' | 'broken'>,
): GoodTexts {
  // What cannot be seen may be there all the same.
  if ('missing' in tree) return before
  const good = tree.files.flatMap((file) => {
    const name = nameOf(file.entry)
    return 'text' in file && !broken.has(name) ? [[name, { file: file.file, text: file.text }] as const] : []
  })
  const kept = Object.entries(before).filter(([name]) => broken.has(name) && inForce.has(name))
  return Object.fromEntries([...kept, ...good].toSorted(([a], [b]) => Number(a > b) - Number(a < b)))
}
