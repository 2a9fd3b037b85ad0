import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Patience } from '../../../src/forges/github/client.ts'
import { createGitHubForge } from '../../../src/forges/github/github.ts'
import type { Credentials } from '../../../src/forges/github/sign-in.ts'
import type { ForgeGround } from '../../contract/forge.ts'
import { git, openFolder, writeFiles } from '../git-repository.ts'
import { type GitHub, type GitHubOptions, openGitHub } from './stand-in.ts'

/** No test waits: limits give way at once, pauses are short, and nothing is spaced. */
const hurried: Patience = {
  requestTimeoutMs: 10_000,
  waitAtMostMs: 0,
  pauseMs: 1,
  spaced: false,
  silentSeconds: 5,
}

type GroundOptions = Omit<GitHubOptions, 'folder'> & {
  auth?: (github: GitHub) => Credentials
  patience?: Partial<Patience>
}

const asApp = ({ app }: GitHub): Credentials => ({ kind: 'app', appId: app.id, keyFile: app.keyFile })
export const asOwner = ({ tokens }: GitHub): Credentials => ({ kind: 'token', token: tokens.owner })

/** The forge on a GitHub of its own with the repository acme/shop; asserts at the end that all was asked as GitHub describes it. */
export async function openGitHubGround({ auth = asApp, patience, ...options }: GroundOptions = {}) {
  const folder = openFolder()
  const github = await openGitHub({ ...options, folder: folder.path })
  const credentialsDir = join(folder.path, 'credentials')
  const forgeAs = (credentials: Credentials, more: Partial<Patience> = {}) =>
    createGitHubForge({
      url: github.url,
      auth: credentials,
      credentialsDir,
      patience: { ...hurried, ...patience, ...more },
    })
  const gitDir = join(folder.path, 'ours.git')
  git(folder.path, 'clone', '--quiet', '--bare', github.repositories.pathOf('acme/shop'), gitDir)
  const scratch = join(folder.path, 'scratch')
  const ground: ForgeGround = {
    forge: forgeAs(auth(github)),
    repository: 'acme/shop',
    from: folder.path,
    missing: 'acme/no-such-shop',
    gitDir,
    commit(parent, files) {
      mkdirSync(scratch, { recursive: true })
      const here = (...args: string[]) => git(scratch, `--git-dir=${gitDir}`, `--work-tree=${scratch}`, ...args)
      here('read-tree', '--reset', '-u', parent)
      writeFiles(scratch, files)
      here('add', '--all')
      return here('commit-tree', here('write-tree'), '-p', parent, '-m', 'a change')
    },
    move(branch, commit) {
      const bare = github.repositories.pathOf('acme/shop')
      git(folder.path, `--git-dir=${gitDir}`, 'push', '--quiet', '--force', bare, `${commit}:refs/heads/${branch}`)
    },
    signal: AbortSignal.timeout(60_000),
    async [Symbol.asyncDispose]() {
      await github[Symbol.asyncDispose]()
      const violations = github.journal.lines().filter(({ kind }) => kind === 'violation')
      folder[Symbol.dispose]()
      if (violations.length > 0) throw new Error(`not as GitHub describes it: ${JSON.stringify(violations)}`)
    },
  }
  return { ...ground, github, folder: folder.path, credentialsDir, forgeAs }
}
