import { listFolder, readBlobs } from '../checkout/read-folder.ts'
import type { Repository } from '../forges/forge.ts'
import type { RepositoryFolder } from '../repository-folder.ts'
import type { Head } from '../routines/git-source.ts'
import type { Ground } from './ground.ts'

/** Git's own silence ends it sooner; this is for a forge that answers a little all the time. */
const patienceMs = 120_000

/** Looks at the head of the branch in our mirror of the repository, which is brought up to date first. */
export function createHeadLook(
  { forges, checkouts, config }: Ground,
  { repository: written, branch }: RepositoryFolder,
): () => Promise<Head> {
  const state: { repository: Repository | undefined } = { repository: undefined }
  return async () => {
    const signal = AbortSignal.timeout(patienceMs)
    state.repository ??= await forges.of(written).locate(written, config.paths.data, signal)
    const mirror = await checkouts.ensureMirror({ root: config.paths.mirrors, repository: state.repository, signal })
    const { commit } = await checkouts.resolveBase(mirror, branch)
    return {
      commit,
      list: (folder) => listFolder(mirror.gitDir, commit, folder),
      read: (files) => readBlobs(mirror.gitDir, files),
    }
  }
}
