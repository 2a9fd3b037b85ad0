import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { git, gitEnvironment } from '../support/git-repository.ts'

const run = promisify(execFile)

/** The floor of a copy: what a person types who borrows the objects of a repository on the same disk. */
export async function cloneByHand(repository: string, folder: string): Promise<void> {
  const head = git(repository, 'rev-parse', 'main')
  await run('git', ['clone', '--quiet', '--shared', '--no-checkout', repository, folder], { env: gitEnvironment })
  await run('git', ['-C', folder, 'checkout', '--quiet', '--detach', head], { env: gitEnvironment })
}
