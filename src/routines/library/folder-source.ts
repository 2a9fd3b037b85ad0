import { createCommitLook, type Operator } from './commits.ts'
import { readFolder, type FolderFile } from './folder.ts'
import { isRoutineFile, type Source, type Wanted } from './source.ts'
import { watchFolder } from './watch-folder.ts'

export type FolderSourceOptions = {
  dir: string
  /** Default: routine files. */
  isWanted?: Wanted
  /** Whose git says which commit a file is in; without it no commit is known. */
  operator?: Operator
  /** How often a file that was not committed is looked for in HEAD. Default 10 s. */
  commitEveryMs?: number
}

/** A folder of this machine. */
export function createFolderSource(options: FolderSourceOptions): Source {
  const { dir, isWanted = isRoutineFile, operator, commitEveryMs = 10_000 } = options
  return {
    name: dir,
    read: (before?: ReadonlyMap<string, FolderFile>) => readFolder(dir, isWanted, before),
    watch: (events) => watchFolder(dir, events),
    ...(operator ? { commits: createCommitLook({ dir, operator, everyMs: commitEveryMs }) } : {}),
  }
}
