import { setImmediate as macrotask, setTimeout as delay } from 'node:timers/promises'
import type { FolderFile } from './folder.ts'
import { decideInForce, goodOf, parseFile, withoutSource, type LibrarySnapshot, type Parsed } from './in-force.ts'
import type { Memory } from './memory.ts'
import type { ReadOptions } from '../reading/read.ts'
import type { Readings } from './readings.ts'
import type { Routine } from '../routine.ts'
import type { Source, SourceTree } from './source.ts'

/** Editors that save by renaming leave the name free for a moment. */
const goneAfterMs = 200
/** Reading a file takes some tenths of a millisecond: after so many others have a turn. */
const atOnce = 32

export type ReaderTools = { read: ReadOptions; memory: Partial<Memory>; readings?: Readings | undefined }

/** `commit`: of the repository that was looked at. */
type Looked = { snapshot: LibrarySnapshot; isMissing: boolean; commit: string | undefined }

/** Reads what changed and decides what the files put in force. */
export function createReader(source: Source, { read, memory, readings }: ReaderTools) {
  const state = {
    files: new Map<string, FolderFile>(),
    parsed: new Map<FolderFile, Parsed>(),
    asked: new Set<string>(),
    hasRead: false,
    /** What the files put in force as they are here; undefined while that is not known. */
    found: undefined as LibrarySnapshot | undefined,
  }

  const readSettled = async (before: LibrarySnapshot): Promise<SourceTree> => {
    const tree = await source.read(state.files)
    if ('missing' in tree || !source.watch) return tree
    const present = new Set(tree.files.map((file) => file.file))
    if (before.routines.every((routine) => present.has(routine.file))) return tree
    await delay(goneAfterMs)
    return source.read(state.files)
  }
  const parse = async (files: readonly FolderFile[]): Promise<Parsed[]> => {
    const parsed = new Map<FolderFile, Parsed>()
    let fresh = 0
    for (const file of files) {
      const known = state.parsed.get(file)
      if (!known && ++fresh % atOnce === 0) await macrotask()
      parsed.set(file, known ?? parseFile(file, read, readings))
    }
    if (fresh > 0) await readings?.keep([...parsed.values()].flatMap(goodOf))
    state.files = new Map(files.map((file) => [file.entry, file]))
    state.parsed = parsed
    return [...parsed.values()]
  }
  /** A broken file of which nothing good is known here may have been in force before the service was started. */
  const remember = async (before: LibrarySnapshot, parsed: readonly Parsed[]): Promise<LibrarySnapshot> => {
    const known = new Set(before.routines.map((routine) => routine.name))
    const unknown = parsed.filter(
      ({ name, read: it }) => 'problems' in it && !known.has(name) && !state.asked.has(name),
    )
    const remembered: Routine[] = []
    for (const { name } of unknown) {
      state.asked.add(name)
      const routine = await memory.lastGood?.(name)
      if (routine) remembered.push(routine)
    }
    return { ...before, routines: [...before.routines, ...remembered] }
  }
  /** The same object when nothing changed, which is what ten thousand files mostly are. */
  const decide = async (before: LibrarySnapshot, files: readonly FolderFile[]): Promise<LibrarySnapshot> => {
    const isSame = files.length === state.files.size && files.every((file) => state.files.get(file.entry) === file)
    if (isSame && before === state.found) return before
    state.found = undefined
    const parsed = await parse(files)
    return decideInForce(await remember(before, parsed), parsed)
  }
  return {
    /** `before`: what the last look answered, or nothing. */
    async read(before: LibrarySnapshot): Promise<Looked> {
      const tree = await readSettled(before)
      if ('missing' in tree) {
        const known = state.hasRead ? before : { ...before, routines: (await memory.inForce?.()) ?? [] }
        state.hasRead = true
        state.found = undefined
        return { snapshot: withoutSource(known, source.name, tree.missing), isMissing: true, commit: tree.commit }
      }
      state.hasRead = true
      const snapshot = await decide(before, tree.files)
      const routines = (await source.commits?.fill(snapshot.routines, before.routines)) ?? snapshot.routines
      const found = routines === snapshot.routines ? snapshot : { ...snapshot, routines }
      state.found = found
      return { snapshot: found, isMissing: false, commit: tree.commit }
    },
  }
}
