import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createLocalForge } from '../../src/forges/local.ts'
import type { ForgeGround } from '../contract/forge.ts'
import { createOperator, createRepository, git, openFolder, writeFiles } from './git-repository.ts'
import { createPullRecords } from './pull-records.ts'
import { mkdirSync } from 'node:fs'

/** The local forge on a repository of an operator without any git settings. `source` makes it; default a work tree. */
export async function openLocalGround(source?: (folder: string) => string) {
  const folder = openFolder()
  const operator = createOperator(folder.path)
  const repository = source?.(folder.path) ?? createRepository(join(folder.path, 'Müllers shop'))
  const pulls = createPullRecords()
  const forge = createLocalForge({ operator, pulls })
  const gitDir = join(folder.path, 'ours.git')
  git(folder.path, 'clone', '--quiet', '--bare', repository, gitDir)
  const scratch = join(folder.path, 'scratch')
  const ground: ForgeGround = {
    forge,
    repository,
    from: folder.path,
    missing: 'no such shop',
    gitDir,
    commit(parent, files) {
      mkdirSync(scratch, { recursive: true })
      const here = (...args: string[]) => git(scratch, `--git-dir=${gitDir}`, `--work-tree=${scratch}`, ...args)
      here('read-tree', '--reset', '-u', parent)
      writeFiles(scratch, files)
      here('add', '--all')
      return git(scratch, `--git-dir=${gitDir}`, 'commit-tree', here('write-tree'), '-p', parent, '-m', 'a change')
    },
    move(branch, commit) {
      git(
        folder.path,
        `--git-dir=${gitDir}`,
        'push',
        '--quiet',
        '--force',
        repository,
        `${commit}:refs/heads/${branch}`,
      )
    },
    signal: AbortSignal.timeout(60_000),
    [Symbol.asyncDispose]: async () => folder[Symbol.dispose](),
  }
  const inRepository = (...args: string[]) => git(repository, ...args)
  return {
    ...ground,
    forge,
    pulls,
    operator,
    folder: folder.path,
    inRepository,
    exists: (name: string) => existsSync(join(repository, name)),
  }
}
