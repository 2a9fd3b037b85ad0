import { z } from 'zod'
import type { SourceTree } from '../source.ts'
import { nameOf, readSource } from './read-source.ts'
import type { SourcesSnapshot } from './sources.ts'
import type { WebhookSource } from './source.ts'

/** Files as they were when they were last good, by the source's name. */
const GoodTexts = z.record(z.string(), z.object({ file: z.string(), text: z.string() }))
export type GoodTexts = Readonly<z.output<typeof GoodTexts>>
/** What is known from before this process. */
export type SourceMemory = {
  recall(): Promise<GoodTexts>
  keep(texts: GoodTexts): Promise<void>
}

/** What another version kept, or nobody, is nothing. */
export const parseGoodTexts = (kept: unknown): GoodTexts => GoodTexts.safeParse(kept).data ?? {}

/** The sources that these texts describe; one that this version does not read any more is of no use. */
export function sourcesOf(texts: GoodTexts): Map<string, WebhookSource> {
  const read = Object.values(texts).flatMap(({ file, text }) => {
    const found = readSource(file, text)
    return 'source' in found ? [found.source] : []
  })
  return new Map(read.map((source) => [source.name, source]))
}

/** The texts of all that is in force after a look: of a file that is good its own, of a broken one what was kept. */
export function goodTexts(
  before: GoodTexts,
  tree: SourceTree,
  { sources, broken }: Pick<SourcesSnapshot, 'sources' | 'broken'>,
): GoodTexts {
  // What cannot be seen may be there all the same.
  if ('missing' in tree) return before
  const good = tree.files.flatMap((file) => {
    const name = nameOf(file.entry)
    return 'text' in file && !broken.has(name) ? [[name, { file: file.file, text: file.text }] as const] : []
  })
  const kept = Object.entries(before).filter(([name]) => broken.has(name) && sources.has(name))
  return Object.fromEntries([...kept, ...good].toSorted(([a], [b]) => Number(a > b) - Number(a < b)))
}
