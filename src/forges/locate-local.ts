import { realpath } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { explainRemote } from '../checkout/remote-heads.ts'
import { type Git, GitFailed, textOf } from '../checkout/git.ts'
import { StepFailed } from '../errors.ts'
import type { Repository } from './forge.ts'

/**
 * The repository at a path, by one name whichever of its work trees the path leads to. Throws StepFailed: `no_checkout`,
 * `not_available` for a URL.
 */
export async function locateLocal(git: Git, repository: string, from: string): Promise<Repository> {
  const path = await existingPath(repository, from)
  const told = await git(
    ['rev-parse', '--path-format=absolute', '--git-common-dir', '--is-inside-work-tree', '--show-cdup'],
    {
      cwd: path,
    },
  ).catch((error: unknown) => {
    throw explainAsMissing(error, path)
  })
  const [commonDir = '', inside = '', up = ''] = textOf(told).split('\n')
  const gitDir = await realpath(commonDir)
  const name = basename(gitDir) === '.git' ? dirname(gitDir) : gitDir
  if (inside === 'true' && up !== '') {
    throw new StepFailed('no_checkout', `${path} is a folder inside the repository ${resolve(path, up)}`, {
      hint: `write repository: ${JSON.stringify(resolve(path, up))}`,
    })
  }
  if (inside === 'false' && path !== gitDir && path !== name) {
    throw new StepFailed('no_checkout', `${path} is a folder inside the git folder ${gitDir}`, {
      hint: `write repository: ${JSON.stringify(name)}`,
    })
  }
  return { forge: 'local', name, url: gitDir }
}

async function existingPath(repository: string, from: string): Promise<string> {
  if (/^[a-z][a-z+.-]*:\/\/|^[\w.-]+@[\w.-]+:/i.test(repository) && !repository.startsWith('file://')) {
    throw new StepFailed(
      'not_available',
      `repositories at a URL are not available yet: ${repository.replace(/\/\/[^/@]*@/, '//')}`,
      {
        hint: 'clone it and write the path of the clone',
      },
    )
  }
  const path = resolve(from, repository.startsWith('file://') ? fileURLToPath(repository) : repository)
  try {
    return await realpath(path)
  } catch (error) {
    throw new StepFailed('no_checkout', `there is no repository at ${path}`, {
      hint: 'correct `repository:`',
      cause: error,
    })
  }
}

function explainAsMissing(error: unknown, path: string): unknown {
  if (error instanceof GitFailed && /not a git repository|must be run in a work tree/.test(error.stderr)) {
    const hint = `correct \`repository:\`, or run: git init ${JSON.stringify(path)}`
    return new StepFailed('no_checkout', `${path} is not a git repository`, { hint, cause: error })
  }
  return explainRemote(error, { name: path })
}
