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
  /** More than this is not fetched; default 1 GiB, as it comes (compressed). */
  mostBytes?: number | undefined
  signal: AbortSignal
}

const defaultMostBytes = 1024 * 1024 * 1024

/** Faults of commits that were imported from elsewhere long ago; those of trees are not among them. */
const harmless = ['badTimezone', 'missingEmail', 'missingNameBeforeEmail', 'missingSpaceBeforeDate']
const settings = [
  'core.hooksPath=/dev/null',
  'gc.auto=0',
  'maintenance.auto=false',
  // Of a tree that is out of order two programs see two different things. It also leaves what comes in one pack: a limit of one file holds.
  'fetch.fsckObjects=true',
  ...harmless.map((fault) => `fetch.fsck.${fault}=warn`),
].flatMap((setting) => ['-c', setting])

/**
 * What a pull request proposes, and the commit that it stands at. Objects alone: nothing is checked out. Throws StepFailed `too_large`,
 * `no_checkout`, and as the remote explains; what came by then is left in `gitDir`, for its owner to remove.
 */
export async function fetchPull(request: FetchPull): Promise<string> {
  const { remote, repository, ref, gitDir, signal, mostBytes: mostFileBytes = defaultMostBytes } = request
  const fetch = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules']
  try {
    const argv = [...settings, ...fetch, repository.url, `+${ref}:refs/pull/head`]
    await remote.git(argv, { gitDir, mostFileBytes, signal })
  } catch (error) {
    throw tooLarge(error, ref, mostFileBytes) ?? refused(error, ref) ?? remote.explain(error)
  }
  return textOf(await runGit(['rev-parse', '--verify', 'refs/pull/head^{commit}'], { gitDir }))
}

function tooLarge(cause: unknown, ref: string, bytes: number): StepFailed | undefined {
  if (!(cause instanceof GitFailed) || !/^(fatal|error): .*File too large/m.test(cause.stderr)) return undefined
  return new StepFailed('too_large', `${ref} brings more than ${bytes / 1024 ** 2} MiB`, { cause })
}

/** Trying again brings the same objects. */
function refused(cause: unknown, ref: string): StepFailed | undefined {
  const said = cause instanceof GitFailed ? /^error: object [0-9a-f]+: (.+)$/m.exec(cause.stderr)?.[1] : undefined
  return said === undefined
    ? undefined
    : new StepFailed('no_checkout', `git refuses what ${ref} holds: ${said}`, { cause })
}
