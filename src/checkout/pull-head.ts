import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { removeFolder } from '../sandboxes/remove-folder.ts'
import { createBare, objectFormatOf } from './bare.ts'
import { fetchPull, type FetchPull } from './fetch-pull.ts'
import { runGit, textOf } from './git.ts'
import type { Mirror, OpenRemote } from './mirror.ts'

/** What a pull request proposes, in a repository of its own that is gone afterwards: no copy ever borrows what a stranger sent. */
export type PullHead = AsyncDisposable & {
  gitDir: string
  commit: string
  /** Where it began; undefined when the two have no common past. */
  base: string | undefined
  /** Nothing was pushed to it since. */
  isNewest(): Promise<boolean>
}
export type PullHeadRequest = {
  mirror: Mirror
  openRemote: OpenRemote
  number: number
  /** The commit it would be merged into; the mirror has it. */
  into: string
  /** Below it the repository is made; what a killed process leaves there is swept with half-made mirrors. */
  root: string
  /** More than this is not fetched. */
  mostBytes?: number
  signal: AbortSignal
}

/** Reads `refs/pull/<number>/head`, which is there for forks, too. Objects alone: nothing is checked out. */
export async function openPullHead(request: PullHeadRequest): Promise<PullHead> {
  const { mirror, number, into, root, mostBytes, signal } = request
  const { repository } = mirror
  const ref = `refs/pull/${number}/head`
  const gitDir = join(root, `pull.git.${randomUUID()}`)
  await using opening = new AsyncDisposableStack()
  opening.defer(() => removeFolder(gitDir))
  await createBare({ gitDir, borrowFrom: mirror.gitDir, objectFormat: objectFormatOf(into) })
  const remote = opening.use(await request.openRemote(repository, signal))
  const commit = await fetchPull({ remote, repository, ref, gitDir, mostBytes, signal })
  const common = await runGit(['merge-base', into, commit], { gitDir, bounded: true, codes: [0, 1], signal })
  const open = opening.move()
  return {
    gitDir,
    commit,
    base: common.code === 0 ? textOf(common).split('\n')[0] : undefined,
    isNewest: async () => (await headOf({ remote, repository, ref, signal })).startsWith(commit),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

async function headOf({ remote, repository, ref, signal }: Omit<FetchPull, 'gitDir' | 'mostBytes'>): Promise<string> {
  try {
    return textOf(await remote.git(['ls-remote', '--quiet', repository.url, ref], { signal }))
  } catch (error) {
    throw remote.explain(error)
  }
}
