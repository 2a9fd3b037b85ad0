import { listFolder, readBlobs } from '../checkout/read-folder.ts'
import { StepFailed } from '../errors.ts'
import type { Repository } from '../forges/forge.ts'
import type { RepositoryFolder } from '../repository-folder.ts'
import type { Head } from '../routines/library/git-source.ts'
import type { Ground } from './ground.ts'

/** A git that hears nothing gives up sooner; this is for a forge that says a little all the time. */
const patienceMs = 120_000

/** Looks at the head of the branch in our mirror of the repository, which is brought up to date first. */
export function createHeadLook(ground: Ground, { repository: written, branch }: RepositoryFolder): () => Promise<Head> {
  const { forges, checkouts, config } = ground
  const state: { repository: Repository | undefined } = { repository: undefined }

  async function look(signal: AbortSignal): Promise<Head> {
    state.repository ??= await forges.of(written).locate(written, config.paths.data, signal)
    const mirror = await checkouts.ensureMirror({ root: config.paths.mirrors, repository: state.repository, signal })
    const { commit } = await checkouts.resolveBase(mirror, branch)
    return {
      commit,
      list: (folder) => listFolder(mirror.gitDir, commit, folder),
      read: (files) => readBlobs(mirror.gitDir, files),
    }
  }
  return async () => {
    const signal = AbortSignal.timeout(patienceMs)
    try {
      return await look(signal)
    } catch (error) {
      if (!signal.aborted) throw error
      throw new StepFailed('forge_unavailable', `${written} did not answer within ${patienceMs / 1000} s`, {
        hint: 'what is in force stays; the next look tries again',
        cause: error,
      })
    }
  }
}
