/** What a run changed, as bytes: one tree on one base, as a thin pack. Read only inside a quarantine repository. */
export type Patch = {
  base: string
  /** The tree the run left. Equal to the base's tree = nothing changed (then there is no Patch). */
  tree: string
  pack: Buffer
}

/** One changed path, as `git diff-tree --raw -z --no-renames` tells it (a rename is a removal and an addition). */
export type Change = {
  path: string
  status: 'added' | 'modified' | 'deleted' | 'type_changed'
  /** Octal file modes as git prints them: 100644, 100755, 120000 (link), 160000 (submodule), 000000 (absent). */
  oldMode: string
  newMode: string
  /** Bytes of the new blob; 0 when deleted. */
  bytes: number
  added: number
  removed: number
  binary: boolean
}

/** Why a person has to look first: one sentence a finding, each naming the path. */
export type Finding = { rule: string; path: string | null; message: string }

/** Over this no patch is kept: the run ends `too_large`. */
export const patchCapBytes = 64 * 1024 * 1024
