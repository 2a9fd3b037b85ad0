import { StepFailed } from '../errors.ts'
import type { Forge } from './forge.ts'
import { createGitHubForge, type GitHubForgeOptions } from './github/github.ts'
import { isUrl, nameAt, withoutCredentials } from './github/names.ts'
import { createLocalForge, type LocalForgeOptions } from './local.ts'

/** Every forge there is, and which of them has a repository. */
export function openForges(options: { local: LocalForgeOptions; github: GitHubForgeOptions }) {
  const local = createLocalForge(options.local)
  const github = createGitHubForge(options.github)
  const { host } = new URL(options.github.url)
  return {
    local,
    github,
    /** `owner/name`, or an address at GitHub, is there; a path is here. Throws StepFailed('not_available') for other addresses. */
    of(repository: string): Forge {
      if (nameAt(host, repository) !== undefined) return github
      if (!isUrl(repository) || repository.startsWith('file://')) return local
      throw new StepFailed('not_available', `${withoutCredentials(repository)} is not a repository at ${host}`, {
        hint: 'clone it and write the path of the clone, or set OVERNIGHT_GITHUB_URL to its server',
      })
    },
  }
}
