import type { Git } from '../checkout/git.ts'

/** Where a repository lives, and how git reaches it. `name` is canonical: the same repository always has the same name. */
export type Repository = {
  forge: string
  name: string
  /** For `git fetch` and `git push`. Never contains a credential. */
  url: string
  /** What a person should know about it: that it was renamed. */
  notes?: readonly string[]
}

/** git that may read one repository, for as long as this is open. */
export type Remote = AsyncDisposable & {
  git: Git
  /** What git's failure says about the repository, as the ending of a step with what to do. */
  explain(error: unknown): unknown
}

export type PullState = 'open' | 'merged' | 'closed'
export type Pull = {
  id: string
  repository: string
  number: number
  url: string
  branch: string
  base: string
  /** The commit the branch had when we last looked. */
  head: string
  title: string
  body: string
  state: PullState
  draft: boolean
  /** What could not be done as it was asked (a draft, a label, a reviewer). */
  notes?: readonly string[]
}

/** A pull request of anybody, by its number. */
export type FoundPull = Pick<Pull, 'number' | 'url' | 'branch' | 'base' | 'state'> & {
  /** Where git finds its head in the repository, also when its branch lies elsewhere. */
  ref: string
  /** Its branch lies in another repository, or nowhere any more. */
  fork: boolean
}

export type BranchPush = {
  repository: Repository
  branch: string
  commit: string
  /** The head we saw; null = the branch must not exist yet. Anything else on the forge refuses the push. */
  expected: string | null
  /** A bare repository of ours that holds the commit. */
  gitDir: string
  signal: AbortSignal
}

export type PullDraft = {
  repository: Repository
  branch: string
  base: string
  head: string
  title: string
  body: string
  draft: boolean
  labels: readonly string[]
  reviewers: readonly string[]
  routine: string
  subject: string
  run: string
}

/**
 * A place of repositories and pull requests. Throws StepFailed: `no_checkout` (not a repository, empty, no such base),
 * `forge_unavailable` (retryable; `retryAfterMs` when it said when), `forge_denied` (our credentials), `push_refused`,
 * `branch_has_other_commits` (the compare-and-swap failed).
 */
export type Forge = {
  name: string
  /** `from` is the folder relative paths start at. Throws StepFailed('no_checkout') saying what is wrong with the repository. */
  locate(repository: string, from: string, signal?: AbortSignal): Promise<Repository>
  /** git that may read the repository; disposing it removes the credential. */
  openRemote(repository: Repository, signal: AbortSignal | undefined): Promise<Remote>
  /** The head of a branch now, or undefined. */
  findHead(repository: Repository, branch: string, signal?: AbortSignal): Promise<string | undefined>
  /** Safe to call twice: a branch that already stands at `commit` is success. */
  ensureBranch(push: BranchPush): Promise<void>
  /** Every pull request of this routine's subject family, newest first. `branchPrefix` is `overnight/<routine>/<subject>`. */
  findPulls(repository: Repository, branchPrefix: string, signal?: AbortSignal): Promise<Pull[]>
  /** As it is now; undefined when there is none of that number. */
  findPull(repository: Repository, number: number, signal?: AbortSignal): Promise<FoundPull | undefined>
  /** Finds the open pull request of `branch` and updates it, or opens one. Safe to call twice. */
  ensurePull(draft: PullDraft, signal?: AbortSignal): Promise<Pull>
}

/** What a forge can do for people when it has no pages of its own. Refusals are Conflict with what to do. */
export type PullDesk = {
  list(filter: { state?: PullState }): Promise<Pull[]>
  read(id: string): Promise<Pull>
  /** A unified diff of base...head as git prints it, at most `maxBytes` (then cut at a line). */
  diff(pull: Pull, maxBytes: number): Promise<{ text: string; cut: boolean }>
  merge(id: string, by: string): Promise<Pull>
  close(id: string, by: string): Promise<Pull>
}
