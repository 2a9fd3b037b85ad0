import { join } from 'node:path'
import { setImmediate as macrotask } from 'node:timers/promises'
import { StepFailed } from '../errors.ts'
import type { Repository } from '../forges/forge.ts'
import { removeFolder } from '../sandboxes/remove-folder.ts'
import { indexLines, isLedTo, toReplace } from './agent-configuration.ts'
import { createBare, objectFormatOf } from './bare.ts'
import { paths, type RawPath } from './changes.ts'
import { leadsOf } from './configuration-leads.ts'
import { fetchPull } from './fetch-pull.ts'
import { type Git, GitFailed, runGit, textOf } from './git.ts'
import { requireListable } from './listable.ts'
import type { Base, Mirror, OpenRemote } from './mirror.ts'
import { steersAgents } from './protected-paths.ts'

/** A pull request as a run starts from it. */
export type PullCopy = {
  /** A repository of ours that holds what is proposed, and borrows the mirror's objects. */
  gitDir: string
  /** What the pull request stands at. */
  head: { commit: string; tree: string }
  /** On top of it, with the agent configuration of the branch that was asked for; the head itself where that is the same. */
  commit: string
  replaced: string[]
}
export type PullCopyRequest = {
  mirror: Pick<Mirror, 'gitDir'>
  repository: Repository
  /** Where the forge keeps the head. */
  ref: string
  /** Whose agent configuration is taken. */
  from: Base
  folder: string
  /** More than this is not fetched. */
  mostBytes?: number
  signal: AbortSignal
}

/** What somebody may add to the base in bytes of files; one file may be named a thousand times. */
const mostNewBytes = 1024 * 1024 * 1024

/**
 * Fetches a pull request into `folder`, removing what an earlier try left there, and replaces what would steer an agent – on trees,
 * before anything is written out. Throws StepFailed `no_checkout`, `too_large`; nothing is left then.
 */
export async function openPullCopy(openRemote: OpenRemote, request: PullCopyRequest): Promise<PullCopy> {
  const { mirror, repository, ref, from, folder: gitDir, mostBytes, signal } = request
  await removeFolder(gitDir)
  await createBare({ gitDir, borrowFrom: mirror.gitDir, objectFormat: objectFormatOf(from.commit) })
  const git: Git = (args, options) => runGit(args, { gitDir, bounded: true, signal, ...options })
  try {
    const head = await fetchHead()
    const tree = textOf(await git(['rev-parse', '--verify', `${head}^{tree}`]))
    await requireListable(git, { base: from.commit, tree })
    const steering = await createSteering(gitDir, from.commit)
    const between = await differing(git, from.commit, tree)
    await requireRoom(git, between)
    const replaced = toReplace(between, await steering(between))
    const common = {
      gitDir,
      head: { commit: head, tree },
      replaced: replaced.map(({ path }) => textOfPath(path)),
    }
    if (replaced.length === 0) return { ...common, commit: head }
    const trusted = await writeTree(git, { gitDir, from: tree, lines: indexLines(replaced, 'old') })
    // Whatever went wrong above, nothing starts with it.
    const left = await steering(await differing(git, from.commit, trusted))
    for (const path of left)
      throw new StepFailed('no_checkout', `${JSON.stringify(textOfPath(path))} of ${ref} could not be replaced`)
    return { ...common, commit: await writeCommit(git, { tree: trusted, head, from }) }
  } catch (error) {
    await removeFolder(gitDir)
    throw explainPull(error, ref)
  }

  async function fetchHead(): Promise<string> {
    await using remote = await openRemote(repository, signal)
    return await fetchPull({ remote, repository, ref, gitDir, mostBytes, signal })
  }
}

/** The tree of an index that was `from` and got these lines. */
export async function writeTree(
  git: Git,
  { gitDir, from, lines }: { gitDir: string; from: string; lines: Buffer },
): Promise<string> {
  const env = { GIT_INDEX_FILE: join(gitDir, 'index-of-ours') }
  await git(['read-tree', from], { env })
  await git(['update-index', '-z', '--index-info'], { env, input: lines })
  return textOf(await git(['write-tree'], { env }))
}

export async function differing(git: Git, from: string, to: string): Promise<RawPath[]> {
  const shape = ['-r', '-z', '--raw', '--no-abbrev', '--no-renames', '--no-ext-diff', '--no-textconv']
  return paths((await git(['diff-tree', ...shape, from, to])).stdout)
}

/** Which of these paths steer an agent, by their names or because the base's own configuration leads there. */
async function createSteering(gitDir: string, base: string) {
  const leads = await leadsOf(gitDir, base)
  return async (between: readonly RawPath[]): Promise<ReadonlySet<string>> => {
    const found = new Set<string>()
    for (const [index, { path }] of between.entries()) {
      // Names are folded slowly, and others wait for this thread, too.
      if (index % 500 === 499) await macrotask()
      if (isLedTo(leads, path) || steersAgents(textOfPath(path))) found.add(path)
    }
    return found
  }
}

async function requireRoom(git: Git, between: readonly RawPath[]): Promise<void> {
  const ids = between.filter(({ newMode }) => /^1[02]/.test(newMode)).map(({ newId }) => `${newId}\n`)
  const sizes = await git(['cat-file', '--batch-check=%(objectsize)'], { input: ids.join('') })
  const bytes = textOf(sizes)
    .split('\n')
    .reduce((sum, size) => sum + Number(size), 0)
  if (bytes > mostNewBytes)
    throw new StepFailed(
      'too_large',
      `the files of the pull request have ${Math.round(bytes / 1024 ** 2)} MiB that the base has not`,
    )
}

async function writeCommit(
  git: Git,
  { tree, head, from }: { tree: string; head: string; from: Base },
): Promise<string> {
  const at = '@0 +0000'
  const env = { GIT_AUTHOR_DATE: at, GIT_COMMITTER_DATE: at }
  const message = `Agent configuration as ${from.branch} has it\n`
  return textOf(await git(['commit-tree', tree, '-p', head], { env, input: message }))
}

function textOfPath(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8')
}

function explainPull(error: unknown, ref: string): unknown {
  if (!(error instanceof GitFailed)) return error
  if (error.exit === 'output' || /out of memory/i.test(error.stderr))
    return new StepFailed('too_large', `${ref} has more files than can be looked at`, { cause: error })
  if (/No space left on device/.test(error.stderr))
    return new StepFailed('disk_full', error.lastLine, { retryable: true, cause: error })
  return new StepFailed('no_checkout', `${ref} cannot be checked out: ${error.lastLine}`, { cause: error })
}
