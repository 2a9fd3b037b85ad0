import type { Remote, Repository } from '../forges/forge.ts'
import { StepFailed } from '../errors.ts'
import { GitFailed, runGit, textOf } from './git.ts'

export type FetchPull = {
  remote: Remote
  repository: Repository
  /** Where the forge keeps its head: `refs/pull/7/head`. */
  ref: string
  /** A repository of its own: no copy ever borrows what a stranger sent. */
  gitDir: string
  signal: AbortSignal
}

/** Faults of commits that were imported from elsewhere long ago; those of trees are not among them. */
const harmless = ['badTimezone', 'missingEmail', 'missingNameBeforeEmail', 'missingSpaceBeforeDate']
const settings = [
  'core.hooksPath=/dev/null',
  'gc.auto=0',
  'maintenance.auto=false',
  // Of a tree that is out of order two programs see two different things.
  'fetch.fsckObjects=true',
  ...harmless.map((fault) => `fetch.fsck.${fault}=warn`),
].flatMap((setting) => ['-c', setting])

/** What a pull request proposes, and the commit that it stands at. Objects alone: nothing is checked out. */
export async function fetchPull({ remote, repository, ref, gitDir, signal }: FetchPull): Promise<string> {
  const fetch = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules']
  try {
    await remote.git([...settings, ...fetch, repository.url, `+${ref}:refs/pull/head`], { gitDir, signal })
  } catch (error) {
    throw refused(error, ref) ?? remote.explain(error)
  }
  return textOf(await runGit(['rev-parse', '--verify', 'refs/pull/head^{commit}'], { gitDir }))
}

/** Trying again brings the same objects. */
function refused(cause: unknown, ref: string): StepFailed | undefined {
  const said = cause instanceof GitFailed ? /^error: object [0-9a-f]+: (.+)$/m.exec(cause.stderr)?.[1] : undefined
  return said === undefined
    ? undefined
    : new StepFailed('no_checkout', `git refuses what ${ref} holds: ${said}`, { cause })
}
