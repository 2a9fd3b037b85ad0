import { createHash, randomUUID } from 'node:crypto'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StepFailed } from '../errors.ts'
import type { Remote, Repository } from '../forges/forge.ts'
import { fetchHeads } from './fetch-heads.ts'
import { runGit, textOf } from './git.ts'
import { type RemoteHeads, readRemoteHeads } from './remote-heads.ts'

/** A bare repository of ours that holds every branch of one repository. Copies borrow its objects, so it never collects garbage. */
export type Mirror = {
  gitDir: string
  repository: Repository
  /** The branch that the repository's HEAD names; null when HEAD is detached or names nothing. */
  defaultBranch: string | null
  /** Brings what the repository has gained since. Throws as `ensureMirror`. */
  refresh(signal: AbortSignal | undefined): Promise<void>
}
export type Base = { branch: string; commit: string }
export type MirrorRequest = { root: string; repository: Repository; signal: AbortSignal | undefined }

/** Opens the git that may read a repository, for one refresh. */
export type OpenRemote = (repository: Repository, signal: AbortSignal | undefined) => Promise<Remote>

/**
 * `openRemote` gives the git that reads the repository. The answer makes and refreshes mirrors below `root`, one fetch at a time a mirror.
 * Throws StepFailed `no_checkout` (missing, empty, not a repository, not trusted), retryable when only the fetch failed.
 */
export function createMirrors(openRemote: OpenRemote): (request: MirrorRequest) => Promise<Mirror> {
  const atWork = new Map<string, Promise<unknown>>()
  const oneAtATime = async <Value>(gitDir: string, act: () => Promise<Value>): Promise<Value> => {
    const mine = (atWork.get(gitDir) ?? Promise.resolve()).then(act)
    const settled = mine.catch(() => {})
    atWork.set(gitDir, settled)
    try {
      return await mine
    } finally {
      if (atWork.get(gitDir) === settled) atWork.delete(gitDir)
    }
  }
  return async ({ root, repository, signal }) => {
    const gitDir = join(root, mirrorName(repository))
    const refresh = (stop: AbortSignal | undefined) =>
      oneAtATime(gitDir, () => bring({ openRemote, repository, gitDir, signal: stop }))
    const { defaultBranch } = await refresh(signal)
    return { gitDir, repository, defaultBranch, refresh: async (stop) => void (await refresh(stop)) }
  }
}

/** Readable, and different for every repository: the name of a folder is never taken from what others wrote. */
export function mirrorName({ forge, name }: Pick<Repository, 'forge' | 'name'>): string {
  return `${slugOf(name)}-${createHash('sha256').update(`${forge}\0${name}`).digest('hex').slice(0, 16)}.git`
}

export function slugOf(name: string): string {
  const last = name.split('/').findLast((part) => part !== '') ?? ''
  const slug = last
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/\.git$/, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return slug.slice(0, 32) || 'repository'
}

type Bring = { openRemote: OpenRemote; repository: Repository; gitDir: string; signal: AbortSignal | undefined }

async function bring({ openRemote, repository, gitDir, signal }: Bring): Promise<RemoteHeads> {
  await using remote = await openRemote(repository, signal)
  const heads = await readRemoteHeads({ remote, repository, signal })
  await ensureBare(gitDir, heads.objectFormat)
  const mine = await headsOf(gitDir)
  const same =
    mine.size === heads.branches.size && [...heads.branches].every(([branch, commit]) => mine.get(branch) === commit)
  if (!same) {
    try {
      await fetchHeads({ git: remote.git, gitDir, url: repository.url, signal })
    } catch (error) {
      throw remote.explain(error)
    }
  }
  return heads
}

async function ensureBare(gitDir: string, objectFormat: string): Promise<void> {
  if (
    await stat(gitDir).then(
      () => true,
      () => false,
    )
  )
    return
  // Made beside and renamed, so that a half-made mirror never has the name.
  const beside = `${gitDir}.${randomUUID()}`
  await mkdir(dirname(gitDir), { recursive: true })
  await runGit(['init', '--quiet', '--bare', '--template=', `--object-format=${objectFormat}`, beside])
  await runGit(['config', 'gc.auto', '0'], { gitDir: beside })
  await runGit(['config', 'maintenance.auto', 'false'], { gitDir: beside })
  // A branch that a power cut left empty would make every later fetch fail.
  await runGit(['config', 'core.fsync', 'committed,reference'], { gitDir: beside })
  try {
    await rename(beside, gitDir)
  } catch (error) {
    await rm(beside, { recursive: true, force: true })
    if (
      !(await stat(gitDir).then(
        () => true,
        () => false,
      ))
    )
      throw error
  }
}

async function headsOf(gitDir: string): Promise<Map<string, string>> {
  const listed = textOf(
    await runGit(['for-each-ref', '--format=%(refname:lstrip=2) %(objectname)', 'refs/heads/'], { gitDir }),
  )
  const lines = listed === '' ? [] : listed.split('\n')
  return new Map(
    lines.map((line): [string, string] => [
      line.slice(0, line.lastIndexOf(' ')),
      line.slice(line.lastIndexOf(' ') + 1),
    ]),
  )
}

/** The branch to start from and its commit; `base` null means the repository's default branch. Throws StepFailed `no_checkout`. */
export async function resolveBase(mirror: Mirror, base: string | null): Promise<Base> {
  const branch = base ?? mirror.defaultBranch
  const { name } = mirror.repository
  if (branch === null) {
    throw new StepFailed(
      'no_checkout',
      `${name} has no default branch: its HEAD is detached, or names a branch without commits`,
      {
        hint: 'write `base:` with the name of a branch, or check a branch out there',
      },
    )
  }
  const heads = await headsOf(mirror.gitDir)
  const commit = heads.get(branch)
  if (commit === undefined) {
    const known = [...heads.keys()].filter((head) => !head.startsWith('overnight/')).slice(0, 5)
    throw new StepFailed(
      'no_checkout',
      `${name} has no branch ${JSON.stringify(branch)}; it has ${known.join(', ') || 'none'}`,
      {
        hint: base === null ? 'check a branch out there, or write `base:`' : 'correct `base:`, or make the branch',
      },
    )
  }
  return { branch, commit }
}
