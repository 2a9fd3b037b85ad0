import { messageOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { decideInForce, parseFile, withRolledBack, withoutSource, type LibrarySnapshot } from './in-force.ts'
import { createInTurn } from './in-turn.ts'
import type { Memory } from './memory.ts'
import { createPace } from './pace.ts'
import { createReader } from './read-source.ts'
import type { ReadOptions } from '../reading/read.ts'
import type { Readings } from './readings.ts'
import { report } from './report.ts'
import { createSettle } from './settle.ts'
import type { Source } from './source.ts'

export type { LibrarySnapshot }

export type Library = AsyncDisposable & {
  snapshot(): LibrarySnapshot
  /** Looks now; resolves when what it found is in force. Never rejects. */
  rescan(): Promise<void>
  /**
   * Others put something in force, which may be older than the files: looks now, and tells again what they say at the next
   * `rescan` or `look`. Not at once, so that processes that disagree do not answer each other without end. Never rejects.
   */
  heard(): Promise<void>
  /** For a ticker: looks, unless that was done lately and costs too much to do it again. Never rejects. */
  look(): Promise<void>
}

export type LibraryOptions = {
  source: Source
  read: ReadOptions
  log: Log
  /** Default true. False: only `rescan` and `look` look. */
  watch?: boolean
  /** Called with what the files say after every change, one call at a time. What it throws is tried again at the next look. */
  onChange?: (files: LibrarySnapshot) => Promise<void> | void
  /** Called after each look at a commit, once what it says is in force; also when that is nothing new. */
  onLook?: ((commit: string, files: LibrarySnapshot) => void) | undefined
  /** Default: nothing is known from before. */
  memory?: Partial<Memory>
  /** Default: every text is read. */
  readings?: Readings
}

const nothing: LibrarySnapshot = { routines: [], broken: new Map(), problems: [], rolledBack: new Map() }
const settled = { quietMs: 100, latestMs: 1000 }

/** The files as they are now, once: nothing is remembered, nothing is watched. */
export async function readLibrary(source: Source, read: ReadOptions): Promise<LibrarySnapshot> {
  const tree = await source.read()
  if ('missing' in tree) return withoutSource(nothing, source.name, tree.missing)
  return decideInForce(
    nothing,
    tree.files.map((file) => parseFile(file, read)),
  )
}

/** What these texts would put in force, if they were all there is. */
export function readTexts(texts: readonly { entry: string; text: string }[], read: ReadOptions): LibrarySnapshot {
  const files = texts.map((file) => ({ ...file, file: file.entry, stamp: undefined }))
  return decideInForce(
    nothing,
    files.map((file) => parseFile(file, read)),
  )
}

/** Reads the files, and keeps what is in force up to date until it is disposed. Rejects when the first `onChange` does. */
export async function openLibrary(options: LibraryOptions): Promise<Library> {
  const { source, log, onChange, onLook, memory = {} } = options
  await using opening = new AsyncDisposableStack()
  const reader = createReader(source, { read: options.read, memory, readings: options.readings })
  const pace = createPace(source.everyMs)
  const state = { files: nothing, snapshot: nothing, isTold: false, isDoubtful: false }

  const settle = opening.use(createSettle(() => void rescan(), settled))
  const watching = source.watch?.({
    onEvent: () => settle.touch(),
    onTrouble: (error) =>
      log.warn({ source: source.name, error: error.message }, 'the routines folder cannot be watched, only looked at'),
  })
  if (watching) opening.use(watching)
  const act = async () => {
    using _ = pace.begin()
    if (options.watch !== false) await watching?.ensure()
    const before = state.files
    const { snapshot: after, isMissing, commit } = await reader.read(before)
    const rolledBack = (await memory.rolledBack?.()) ?? []
    state.files = after
    state.snapshot = withRolledBack(after, rolledBack)
    const isChanged = report(log, before, after)
    if (!isMissing && (!state.isTold || isChanged)) {
      // Before, not after: what is heard meanwhile is for the next look.
      state.isTold = true
      try {
        await onChange?.(after)
      } catch (error) {
        state.isTold = false
        throw error
      }
    }
    if (commit !== undefined) onLook?.(commit, after)
  }
  const looks = createInTurn(act)
  const lookNow = () =>
    looks.run().catch((error: unknown) => {
      log.error(
        { source: source.name, error: messageOf(error) },
        'the routines were not applied; the next look tries again',
      )
    })
  const rescan = () => {
    if (state.isDoubtful) state.isTold = false
    state.isDoubtful = false
    return lookNow()
  }
  await looks.run()
  const open = opening.move()
  open.defer(() => looks.idle())
  return {
    snapshot: () => state.snapshot,
    rescan,
    heard() {
      state.isDoubtful = true
      return lookNow()
    },
    look: () => (pace.isDue() ? rescan() : Promise.resolve()),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}
