import { join } from 'node:path'
import { OvernightError } from '../../errors.ts'
import { fileCapBytes } from '../reading/file-text.ts'
import { findTwins, textOrFault, tooLarge, type Fault, type FolderFile } from './folder.ts'
import type { Routine } from '../routine.ts'
import { isRoutineFile, type Source, type Wanted } from './source.ts'

type Entry = { entry: string; kind: 'file' | 'link' | 'other'; id: string; bytes: number }
/** The repository as it is now. */
export type Head = {
  commit: string
  /** What stands directly in a folder of it; undefined = there is no such folder. */
  list(folder: string): Promise<readonly Entry[] | undefined>
  read(files: readonly Entry[]): Promise<ReadonlyMap<string, Buffer>>
}
export type GitSourceOptions = {
  /** For people: `acme/routines:routines@main`. */
  name: string
  /** In the repository, without slashes at its ends. */
  folder: string
  /** A folder of this machine that stands for it, for what needs a path. */
  dir: string
  /** Default: routine files. */
  isWanted?: Wanted
  /** The branch's head. May ask the forge; throws an OvernightError when it cannot be told. */
  look(): Promise<Head>
}

/** Asking a forge costs it something; a push tells us sooner. */
const everyMs = 60_000

/** A folder in a git repository, at the head of a branch. */
export function createGitSource(options: GitSourceOptions): Source {
  const { name, folder, dir, isWanted = isRoutineFile, look } = options
  const state = { commit: null as string | null }
  return {
    name,
    everyMs,
    async read(before = new Map<string, FolderFile>()) {
      try {
        const head = await look()
        const entries = (await head.list(folder))?.filter(({ entry }) => isWanted(entry))
        if (!entries) return { missing: noFolder(folder), commit: head.commit }
        state.commit = head.commit
        const files = await readEntries(entries, { head, before, place: { name, dir } })
        return { files, commit: head.commit }
      } catch (error) {
        if (!(error instanceof OvernightError)) throw error
        return {
          missing: { message: error.message, hint: error.hint ?? 'what is in force stays until it can be read' },
        }
      }
    },
    commits: {
      /** What was known of the same text stays: that it is in a later commit, too, is no news. */
      async fill(routines, before) {
        const known = new Map(before.map(({ name: routine, hash, commit }) => [`${routine} ${hash}`, commit]))
        return routines.map((routine): Routine => ({
          ...routine,
          commit: known.get(`${routine.name} ${routine.hash}`) ?? routine.commit ?? state.commit,
        }))
      },
    },
  }
}

type Reading = { head: Head; before: ReadonlyMap<string, FolderFile>; place: { name: string; dir: string } }

async function readEntries(entries: readonly Entry[], { head, before, place }: Reading): Promise<FolderFile[]> {
  const twins = findTwins(entries.map(({ entry }) => entry))
  const isNew = ({ entry, id }: Entry) => before.get(entry)?.stamp !== id
  const faultOf = (file: Entry): Fault | undefined => twins.get(file.entry) ?? refusalOf(file)
  const blobs = await head.read(entries.filter((file) => isNew(file) && !faultOf(file)))
  return entries.map((file): FolderFile => {
    const { entry, id } = file
    const at = { entry, file: join(place.dir, entry), shownAs: `${place.name}/${entry}` }
    const fault = faultOf(file)
    if (fault) return { ...at, stamp: undefined, fault }
    return isNew(file) ? { ...at, stamp: id, ...textOrFault(blobs.get(id)!) } : before.get(entry)!
  })
}

function refusalOf({ kind, bytes }: Entry): Fault | undefined {
  if (kind === 'link') return { message: 'this is a link', hint: 'copy the file into the folder' }
  if (kind === 'other') return { message: 'this is not a regular file', hint: 'remove it, or give it another ending' }
  return bytes > fileCapBytes ? tooLarge : undefined
}

function noFolder(folder: string): Fault {
  return {
    message: `the branch has no folder ${JSON.stringify(folder || '.')}`,
    hint: 'make it there, or correct OVERNIGHT_ROUTINES',
  }
}
