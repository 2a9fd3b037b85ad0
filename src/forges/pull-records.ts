import type { PullState } from './forge.ts'

/** A pull request of the local forge as it is kept; the forge adds the url. */
export type PullRecord = {
  id: string
  repository: string
  /** From 1, without gaps, per repository. */
  number: number
  branch: string
  base: string
  head: string
  title: string
  body: string
  state: PullState
  draft: boolean
  labels: string[]
  routine: string
  subject: string
  run: string
  mergeCommit: string | null
}

export type NewPullRecord = Omit<PullRecord, 'id' | 'number' | 'state' | 'mergeCommit'>
export type PullRecordChange = Partial<
  Pick<
    PullRecord,
    'base' | 'head' | 'title' | 'body' | 'state' | 'draft' | 'labels' | 'routine' | 'subject' | 'run' | 'mergeCommit'
  >
>

/** Where the local forge keeps its pull requests. */
export type PullRecords = {
  /** Newest first (highest number first within a repository). */
  list(filter: { repository?: string; state?: PullState }): Promise<PullRecord[]>
  find(id: string): Promise<PullRecord | undefined>
  /**
   * Opens the repository's next number; `idOf` makes the id of it. At most one open record a (repository, branch): where there is
   * one already, that one is the answer, unchanged.
   */
  insert(record: NewPullRecord, idOf: (number: number) => string): Promise<PullRecord>
  /** Changes the record only while it is open, and answers it as it then is; undefined when there is none. */
  updateOpen(id: string, change: PullRecordChange): Promise<PullRecord | undefined>
}
