import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../../log.ts'
import { messageOf } from '../../errors.ts'
import { formatProblem } from '../format.ts'
import type { FolderFile } from '../folder.ts'
import { createInTurn } from '../in-turn.ts'
import type { Problem } from '../routine.ts'
import { createPace } from '../pace.ts'
import { createSettle } from '../settle.ts'
import type { Source, SourceTree, Wanted } from '../source.ts'
import type { CheckUrl } from './check-source.ts'
import { goodTexts, sourcesOf, type GoodTexts, type SourceMemory } from './good-texts.ts'
import { nameOf, readSource, type ReadSource } from './read-source.ts'
import type { WebhookSource } from './source.ts'

/** Source files: `*.yaml` and `*.yml`, and no name that begins with a dot. */
export const isSourceFile: Wanted = (entry) => /^[^.].*\.ya?ml$/i.test(entry)

export type SourcesSnapshot = {
  /** In force by name: of a broken file the last version that was good. */
  sources: ReadonlyMap<string, WebhookSource>
  /** Names of files that are broken now. */
  broken: ReadonlySet<string>
  problems: readonly Problem[]
  /** false until a repository could be read for the first time: nobody can tell who may send. */
  isKnown: boolean
}
export type WebhookSources = AsyncDisposable & {
  snapshot(): SourcesSnapshot
  /** Looks at the files now. Never rejects. */
  rescan(): Promise<void>
  /** For a ticker: looks, unless that was done lately and costs others something. Never rejects. */
  look(): Promise<void>
}

const nothing: SourcesSnapshot = { sources: new Map(), broken: new Set(), problems: [], isKnown: false }
const settled = { quietMs: 100, latestMs: 1000 }

/** The files as they are now, once. */
export async function readSources(source: Source, checkUrl?: CheckUrl): Promise<SourcesSnapshot> {
  return decide(nothing, await source.read(), { everyMs: source.everyMs, checkUrl })
}

/** What these texts would put in force, if they were all there is. */
export function readSourceTexts(texts: readonly { entry: string; text: string }[]): SourcesSnapshot {
  return decide(nothing, { files: texts.map((file) => ({ ...file, file: file.entry, stamp: undefined })) }, {})
}

export type SourcesOptions = {
  source: Source
  log: Log
  /** Default true. False: only `rescan` looks. */
  watch?: boolean
  /** Default: nothing is known from before, and nothing is kept. */
  memory?: SourceMemory | undefined
}

type State = { snapshot: SourcesSnapshot; files: ReadonlyMap<string, FolderFile>; texts: GoodTexts; kept: GoodTexts }

/** Reads the files and keeps up with them until it is disposed. */
export async function openSources(options: SourcesOptions): Promise<WebhookSources> {
  const { source, log, watch = true, memory } = options
  await using opening = new AsyncDisposableStack()
  const kept: GoodTexts = (await memory?.recall()) ?? {}
  const state: State = { snapshot: { ...nothing, sources: sourcesOf(kept) }, files: new Map(), texts: kept, kept }
  const pace = createPace(source.everyMs)
  const looks = createInTurn(async () => {
    using _ = pace.begin()
    if (watch) await watching?.ensure()
    const tree = await source.read(state.files)
    if ('files' in tree) state.files = new Map(tree.files.map((file) => [file.entry, file]))
    const before = state.snapshot
    state.snapshot = decide(before, tree, source)
    report(log, before, state.snapshot)
    state.texts = goodTexts(state.texts, tree, state.snapshot)
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
      log.warn({ error: messageOf(error) }, 'webhook sources could not be kept for the next start')
    }
  }
  const rescan = () =>
    looks.run().catch((error: unknown) => {
      log.error({ source: source.name, error: messageOf(error) }, 'webhook sources could not be read')
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

type Deciding = { everyMs?: number | undefined; checkUrl?: CheckUrl | undefined }

/**
 * Nobody needs such a folder, so that a missing one is no problem; but what was there stays in force: it may be a disk that is
 * not mounted. Not what was there before the start: who removed it while nothing ran wanted it gone. Two files of one name (`a.yaml`, `a.yml`) are both refused, as nobody knows which one is meant.
 */
function decide(before: SourcesSnapshot, tree: SourceTree, { everyMs, checkUrl }: Deciding): SourcesSnapshot {
  // A commit without the folder says as much as one with it.
  const isSeen = everyMs === undefined || tree.commit !== undefined
  if ('missing' in tree && isSeen && !before.isKnown) return { ...nothing, isKnown: true }
  if ('missing' in tree) return before
  const read = tree.files.map((file): [string, ReadSource] => [nameOf(file.entry), readFile(file, checkUrl)])
  const named = Map.groupBy(read, ([name]) => name)
  const sources = new Map<string, WebhookSource>()
  const broken = new Set<string>()
  const problems: Problem[] = []
  for (const [name, group] of named) {
    const found =
      group.length > 1 ? { problems: twins(tree.files.filter(({ entry }) => nameOf(entry) === name)) } : group[0]![1]
    if ('problems' in found) {
      broken.add(name)
      problems.push(...found.problems)
    }
    const inForce = 'source' in found ? found.source : before.sources.get(name)
    if (inForce) sources.set(name, inForce)
  }
  return { sources, broken, problems, isKnown: true }
}

function readFile(file: FolderFile, checkUrl: CheckUrl | undefined): ReadSource {
  const { file: path, shownAs = path } = file
  const read =
    'text' in file
      ? readSource(path, file.text, checkUrl)
      : { problems: [{ file: path, line: 1, column: 1, ...file.fault }] }
  return 'source' in read ? read : { problems: read.problems.map((problem) => ({ ...problem, file: shownAs })) }
}

function twins(files: readonly FolderFile[]): Problem[] {
  return files.map(({ file }) => ({
    file,
    line: 1,
    column: 1,
    message: 'there are two files for one source',
    hint: 'keep the one that ends in .yaml',
  }))
}

function report(log: Log, before: SourcesSnapshot, after: SourcesSnapshot): void {
  const text = (source: WebhookSource | undefined) => JSON.stringify(source)
  for (const [name, source] of after.sources)
    if (text(before.sources.get(name)) !== text(source)) log.info({ source: name }, 'webhook source read')
  for (const name of before.sources.keys())
    if (!after.sources.has(name)) log.info({ source: name }, 'webhook source removed')
  for (const name of after.broken)
    if (!before.broken.has(name)) {
      const stays = after.sources.has(name)
      log.warn(
        { source: name },
        stays ? 'the file is broken; the last good version stays in force' : 'the file is broken',
      )
    }
  const old = new Set(before.problems.map(formatProblem))
  for (const problem of after.problems.map(formatProblem))
    if (!old.has(problem)) log.warn({ problem }, 'webhook sources')
}
