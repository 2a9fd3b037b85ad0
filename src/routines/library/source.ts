import type { CommitLook } from './commits.ts'
import type { Fault, FolderFile } from './folder.ts'
import type { FolderWatch, WatchEvents } from './watch-folder.ts'

/** Where files that people write are: a folder of this machine, or a folder in a git repository. */
export type Source = {
  /** As people know it: a path, or `acme/routines:routines@main`. */
  name: string
  /**
   * Every file there is now; those that did not change since `before` (by entry) are the same objects and were not read again.
   * Never rejects for what is wrong with the place itself: then it is `missing`, and what is in force stays.
   */
  read(before?: ReadonlyMap<string, FolderFile>): Promise<SourceTree>
  /** Tells when something may have changed. Without it, only looking finds out. */
  watch?(events: WatchEvents): FolderWatch
  /** Looking more often than this costs others something. Default: as often as one likes. */
  everyMs?: number
  /** Which commit a text is in. */
  commits?: CommitLook
}

/** `commit`: of the repository they were read from; absent where that is not known. */
export type SourceTree = ({ files: FolderFile[] } | { missing: Fault }) & { commit?: string }

/** Which entries of a folder count, by name. */
export type Wanted = (entry: string) => boolean

/** Routine files: `*.md` but README.md, and no name that begins with a dot. */
export const isRoutineFile: Wanted = (entry) => /^[^.].*\.md$/is.test(entry) && entry.toLowerCase() !== 'readme.md'
