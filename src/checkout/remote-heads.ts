import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StepFailed } from '../errors.ts'
import type { Remote, Repository } from '../forges/forge.ts'
import { objectFormatOf } from './bare.ts'
import { GitFailed, textOf } from './git.ts'

const prefix = 'refs/heads/'

export type RemoteHeads = {
  /** null when HEAD is detached or names nothing. May name a branch that does not exist. */
  defaultBranch: string | null
  branches: Map<string, string>
  objectFormat: 'sha1' | 'sha256'
}

/** What the repository has now. Throws StepFailed `no_checkout` for a repository that is missing, empty, or not trusted. */
export async function readRemoteHeads(request: {
  remote: Remote
  repository: Repository
  signal: AbortSignal | undefined
}): Promise<RemoteHeads> {
  const { remote, repository, signal } = request
  const listed = await remote
    .git(['ls-remote', '--quiet', '--symref', repository.url, 'HEAD', 'refs/heads/*'], {
      signal,
    })
    .then(textOf, (error: unknown) => {
      throw remote.explain(error)
    })
  const heads = parseHeads(listed)
  if (heads.branches.size === 0) {
    throw new StepFailed('no_checkout', `${repository.name} is empty`, {
      hint: 'make a first commit on a branch there',
    })
  }
  return heads
}

export function parseHeads(listed: string): RemoteHeads {
  const lines = listed.split('\n').map((line) => line.split('\t') as [string, string?])
  const heads = lines.filter(([, ref]) => ref === 'HEAD').map(([value]) => value)
  const branches = new Map(
    lines.flatMap(([value, ref]) => (ref?.startsWith(prefix) ? [[ref.slice(prefix.length), value]] : [])),
  )
  const symbolic = heads.find((value) => value.startsWith(`ref: ${prefix}`))?.slice(`ref: ${prefix}`.length)
  const [[onlyBranch, anyCommit] = [null, '']] = branches
  // A HEAD that names a branch without commits is not listed at all; the only sensible default is then an only branch.
  const fallback = heads.length === 0 && branches.size === 1 ? onlyBranch : null
  return { defaultBranch: symbolic ?? fallback, branches, objectFormat: objectFormatOf(anyCommit) }
}

/** What git said about somebody's repository, as the ending of a step with what to do. */
export function explainRemote(error: unknown, { name }: Pick<Repository, 'name'>): unknown {
  if (!(error instanceof GitFailed)) return error
  if (/dubious ownership/.test(error.stderr)) {
    return new StepFailed('no_checkout', `git does not trust ${name}, because it belongs to another user`, {
      hint: trustsOf(name).join(' && '),
      cause: error,
    })
  }
  if (/No space left on device/i.test(error.stderr))
    return new StepFailed('disk_full', error.lastLine, { retryable: true, cause: error })
  if (/does not appear to be a git repository|not a git repository|does not exist/.test(error.stderr)) {
    return new StepFailed('no_checkout', `${name} is not a git repository`, {
      hint: 'correct `repository:`',
      cause: error,
    })
  }
  return new StepFailed('no_checkout', `${name} could not be read: ${error.lastLine}`, {
    retryable: true,
    cause: error,
  })
}

/** git asks for the work tree when it is used there, and for the git folder when it is fetched from. */
function trustsOf(name: string): string[] {
  const own = join(name, '.git')
  const paths = existsSync(own) ? [name, own] : [name]
  return paths.map((path) => `git config --global --add safe.directory ${shellWord(path)}`)
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
