import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../../log.ts'
import { messageOf } from '../../errors.ts'
import type { FolderFile } from '../library/folder.ts'
import { createInTurn } from '../library/in-turn.ts'
import type { Problem } from '../routine.ts'
import { createPace } from '../library/pace.ts'
import { createSettle } from '../library/settle.ts'
import type { Source, SourceTree } from '../library/source.ts'
import { definedBy, goodTexts, type DefinitionMemory, type GoodTexts } from './good-texts.ts'
import { report } from './report.ts'
import { nameOf, type Definition, type Read, type ReadDefinition } from './read-definition.ts'
import type { CheckUrl } from './sent-headers.ts'

export type DefinitionsSnapshot<T> = {
  /** In force by name: of a broken file the last version that was good. */
  inForce: ReadonlyMap<string, T>
  /** Names of files that are broken now. */
  broken: ReadonlySet<string>
  problems: readonly Problem[]
  /** false until a repository could be read for the first time: nobody can tell what there is. */
  isKnown: boolean
}
export type Definitions<T> = AsyncDisposable & {
  snapshot(): DefinitionsSnapshot<T>
  /** Looks at the files now. Never rejects. */
  rescan(): Promise<void>
  /** For a ticker: looks, unless that was done lately and costs others something. Never rejects. */
  look(): Promise<void>
}

/** What the files of one folder define: `called` in the log, such as `webhook source`. */
export type Kind<T> = { called: string; read: (file: string, text: string, checkUrl?: CheckUrl) => ReadDefinition<T> }

const nothing = { inForce: new Map(), broken: new Set<string>(), problems: [], isKnown: false }
const settled = { quietMs: 100, latestMs: 1000 }

/** The files as they are now, once. */
export async function readDefinitions<T extends Definition>(
  kind: Kind<T>,
  source: Source,
  checkUrl?: CheckUrl,
): Promise<DefinitionsSnapshot<T>> {
  const read: Read<T> = (file, text) => kind.read(file, text, checkUrl)
  return decide(nothing, await source.read(), { everyMs: source.everyMs, read })
}

/** What these texts would put in force, if they were all there is. */
export function readDefinitionTexts<T extends Definition>(
  { read }: Kind<T>,
  texts: readonly { entry: string; text: string }[],
): DefinitionsSnapshot<T> {
  return decide(nothing, { files: texts.map((file) => ({ ...file, file: file.entry, stamp: undefined })) }, { read })
}

export type DefinitionsOptions<T> = {
  kind: Kind<T>
  source: Source
  log: Log
  /** Default true. False: only `rescan` looks. */
  watch?: boolean
  /** Default: nothing is known from before, and nothing is kept. */
  memory?: DefinitionMemory | undefined
}

type State<T> = {
  snapshot: DefinitionsSnapshot<T>
  files: ReadonlyMap<string, FolderFile>
  texts: GoodTexts
  kept: GoodTexts
}

/** Reads the files and keeps up with them until it is disposed. */
export async function openDefinitions<T extends Definition>(options: DefinitionsOptions<T>): Promise<Definitions<T>> {
  const { kind, source, log, watch = true, memory } = options
  const { read, called } = kind
  await using opening = new AsyncDisposableStack()
  const kept: GoodTexts = (await memory?.recall()) ?? {}
  const snapshot = { ...nothing, inForce: definedBy(kept, read) }
  const state: State<T> = { snapshot, files: new Map(), texts: kept, kept }
  const pace = createPace(source.everyMs)
  const looks = createInTurn(async () => {
    using _ = pace.begin()
    if (watch) await watching?.ensure()
    const tree = await source.read(state.files)
    if ('files' in tree) state.files = new Map(tree.files.map((file) => [file.entry, file]))
    const before = state.snapshot
    state.snapshot = decide(before, tree, { everyMs: source.everyMs, read })
    report({ log, called }, before, state.snapshot)
    const texts = goodTexts(state.texts, tree, state.snapshot)
    state.texts = memory?.isShared ? thoseInForce(texts, state.snapshot) : texts
    await keep()
  })
  /** What could not be kept now is kept after the next look. */
  async function keep(): Promise<void> {
    const { texts } = state
    if (isDeepStrictEqual(texts, state.kept)) return
    try {
      await memory?.keep(texts)
      state.kept = texts
    } catch (error) {
      log.warn({ error: messageOf(error) }, `${called}s could not be kept for the next start`)
    }
  }
  const rescan = () =>
    looks.run().catch((error: unknown) => {
      log.error({ source: source.name, error: messageOf(error) }, `${called}s could not be read`)
    })
  const settle = opening.use(createSettle(() => void rescan(), settled))
  const watching = watch
    ? source.watch?.({
        onEvent: () => settle.touch(),
        onTrouble: (error) =>
          log.warn({ source: source.name, error: error.message }, 'the folder cannot be watched, only looked at'),
      })
    : undefined
  if (watching) opening.use(watching)
  // A forge may take its time; a folder takes none.
  if (source.everyMs === undefined) await rescan()
  else void rescan()
  const open = opening.move()
  open.defer(() => looks.idle())
  return {
    snapshot: () => state.snapshot,
    rescan,
    look: () => (pace.isDue() ? rescan() : Promise.resolve()),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

type Deciding<T> = { everyMs?: number | undefined; read: Read<T> }

/**
 * Nobody needs such a folder, so that a missing one is no problem; but what was there stays in force: it may be a disk that is
 * not mounted. Not what was there before the start: who removed it while nothing ran wanted it gone. Two files of one name (`a.yaml`, `a.yml`) are both refused, as nobody knows which one is meant.
 */
function decide<T extends Definition>(
  before: DefinitionsSnapshot<T>,
  tree: SourceTree,
  { everyMs, read }: Deciding<T>,
): DefinitionsSnapshot<T> {
  // A commit without the folder says as much as one with it.
  const isSeen = everyMs === undefined || tree.commit !== undefined
  if ('missing' in tree && isSeen && !before.isKnown) return { ...nothing, isKnown: true }
  if ('missing' in tree) return before
  const all = tree.files.map((file): [string, ReadDefinition<T>] => [nameOf(file.entry), readFile(file, read)])
  const inForce = new Map<string, T>()
  const broken = new Set<string>()
  const problems: Problem[] = []
  for (const [name, group] of Map.groupBy(all, ([name]) => name)) {
    const found =
      group.length > 1 ? { problems: twins(tree.files.filter(({ entry }) => nameOf(entry) === name)) } : group[0]![1]
    if ('problems' in found) {
      broken.add(name)
      problems.push(...found.problems)
    }
    const standing = 'defined' in found ? found.defined : before.inForce.get(name)
    if (standing) inForce.set(name, standing)
  }
  return { inForce, broken, problems, isKnown: true }
}

function readFile<T>(file: FolderFile, read: Read<T>): ReadDefinition<T> {
  const { file: path, shownAs = path } = file
  const found =
    'text' in file ? read(path, file.text) : { problems: [{ file: path, line: 1, column: 1, ...file.fault }] }
  return 'defined' in found ? found : { problems: found.problems.map((problem) => ({ ...problem, file: shownAs })) }
}

function twins(files: readonly FolderFile[]): Problem[] {
  return files.map(({ file }) => ({
    file,
    line: 1,
    column: 1,
    message: 'there are two files of one name',
    hint: 'keep the one that ends in .yaml',
  }))
}

function thoseInForce<T>(texts: GoodTexts, { inForce }: Pick<DefinitionsSnapshot<T>, 'inForce'>): GoodTexts {
  return Object.fromEntries(Object.entries(texts).filter(([name]) => inForce.has(name)))
}
