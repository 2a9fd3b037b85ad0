import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { createCommitLook, type Operator } from './commits.ts'
import { readFolder, type Folder, type FolderFile } from './folder.ts'
import { formatProblem } from './format.ts'
import { decideInForce, difference, parseFile, withoutFolder, type LibrarySnapshot, type Parsed } from './in-force.ts'
import { createInTurn } from './in-turn.ts'
import type { ReadOptions } from './read.ts'
import type { Routine } from './routine.ts'
import { createSettle } from './settle.ts'
import { watchFolder } from './watch-folder.ts'

export type { LibrarySnapshot }

export type Library = AsyncDisposable & {
  snapshot(): LibrarySnapshot
  /** Looks at the folder now; resolves when what it found is in force. Never rejects. */
  rescan(): Promise<void>
}

export type LibraryOptions = {
  dir: string
  read: ReadOptions
  log: Log
  /** Default true. False: only `rescan` looks. */
  watch?: boolean
  /** Called with the whole state after every change, one call at a time. What it throws is tried again at the next look. */
  onChange?: (snapshot: LibrarySnapshot) => Promise<void> | void
  /** Without it no commit is recorded. */
  operator?: Operator
  /** For a file that is broken at the start: the version that was in force before. */
  lastGood?: (name: string) => Promise<Routine | undefined>
  /** How often a file that was not committed is looked for in HEAD. Default 10 s. */
  commitEveryMs?: number
}

const nothing: LibrarySnapshot = { routines: [], broken: new Map(), problems: [] }
/** Editors that save by renaming leave the name free for a moment. */
const goneAfterMs = 200
const settled = { quietMs: 100, latestMs: 1000 }

/** The folder as it is on disk now, once: nothing is remembered, nothing is watched. */
export async function readLibrary(dir: string, read: ReadOptions): Promise<LibrarySnapshot> {
  const folder = await readFolder(dir)
  if ('missing' in folder) return withoutFolder(nothing, dir, folder.missing)
  return decideInForce(
    nothing,
    folder.files.map((file) => parseFile(file, read)),
  )
}

/** Reads the folder, and keeps what is in force up to date until it is disposed. Rejects when the first `onChange` does. */
export async function openLibrary(options: LibraryOptions): Promise<Library> {
  const { dir, log, onChange } = options
  await using opening = new AsyncDisposableStack()
  const reader = createReader(options)
  const state = { snapshot: nothing, isTold: false }

  const settle = opening.use(createSettle(() => void rescan(), settled))
  const watching = opening.use(
    watchFolder(dir, {
      onEvent: () => settle.touch(),
      onTrouble: (error) =>
        log.warn({ dir, error: error.message }, 'the routines folder cannot be watched, only looked at'),
    }),
  )
  const look = async () => {
    if (options.watch !== false) await watching.ensure()
    const before = state.snapshot
    const { snapshot: after, isMissing } = await reader.read(before)
    state.snapshot = after
    const isChanged = report(log, before, after)
    if (isMissing || (state.isTold && !isChanged)) return
    state.isTold = false
    await onChange?.(after)
    state.isTold = true
  }
  const looks = createInTurn(look)
  const rescan = () =>
    looks.run().catch((error: unknown) => {
      log.error({ dir, error: messageOf(error) }, 'the routines were not applied; the next look tries again')
    })
  await looks.run()
  const open = opening.move()
  open.defer(() => looks.idle())
  return { snapshot: () => state.snapshot, rescan, [Symbol.asyncDispose]: () => open.disposeAsync() }
}

/** Reads what changed and decides what is in force. */
function createReader({ dir, read, operator, lastGood, commitEveryMs = 10_000 }: LibraryOptions) {
  const state = {
    files: new Map<string, FolderFile>(),
    parsed: new Map<FolderFile, Parsed>(),
    asked: new Set<string>(),
  }
  const commits = operator && createCommitLook({ dir, operator, everyMs: commitEveryMs })

  const readSettled = async (before: LibrarySnapshot): Promise<Folder> => {
    const folder = await readFolder(dir, state.files)
    if ('missing' in folder) return folder
    const present = new Set(folder.files.map((file) => file.file))
    if (before.routines.every((routine) => present.has(routine.file))) return folder
    await delay(goneAfterMs)
    return readFolder(dir, state.files)
  }
  const parse = (files: readonly FolderFile[]): Parsed[] => {
    state.files = new Map(files.map((file) => [file.entry, file]))
    state.parsed = new Map(files.map((file) => [file, state.parsed.get(file) ?? parseFile(file, read)]))
    return [...state.parsed.values()]
  }
  /** A broken file of which nothing good is known here may have been in force before the service was started. */
  const remember = async (before: LibrarySnapshot, parsed: readonly Parsed[]): Promise<LibrarySnapshot> => {
    const known = new Set(before.routines.map((routine) => routine.name))
    const unknown = parsed.filter(({ name, read }) => 'problems' in read && !known.has(name) && !state.asked.has(name))
    const remembered: Routine[] = []
    for (const { name } of unknown) {
      state.asked.add(name)
      const routine = await lastGood?.(name)
      if (routine) remembered.push(routine)
    }
    return { ...before, routines: [...before.routines, ...remembered] }
  }
  return {
    async read(before: LibrarySnapshot): Promise<{ snapshot: LibrarySnapshot; isMissing: boolean }> {
      const folder = await readSettled(before)
      if ('missing' in folder) return { snapshot: withoutFolder(before, dir, folder.missing), isMissing: true }
      const parsed = parse(folder.files)
      const snapshot = decideInForce(await remember(before, parsed), parsed)
      const routines = commits ? await commits.fill(snapshot.routines, before.routines) : snapshot.routines
      return { snapshot: { ...snapshot, routines }, isMissing: false }
    },
  }
}

/** One line for everything that is other than before; answers whether a routine is. */
function report(log: Log, before: LibrarySnapshot, after: LibrarySnapshot): boolean {
  const { applied, committed, broken, removed } = difference(before, after)
  for (const routine of applied) log.info({ routine }, 'routine read')
  for (const routine of committed) log.debug({ routine }, 'the commit of the routine is known now')
  for (const routine of removed) log.info({ routine }, 'routine removed')
  const inForce = new Set(after.routines.map((routine) => routine.name))
  for (const routine of broken) {
    log.warn(
      { routine },
      inForce.has(routine) ? 'the file is broken; the last good version stays in force' : 'the file is broken',
    )
  }
  const old = new Set(before.problems.map(formatProblem))
  for (const problem of after.problems.map(formatProblem))
    if (!old.has(problem)) log.warn({ problem }, 'routines folder')
  return applied.length + committed.length + broken.length + removed.length > 0
}
