import { StepFailed } from '../../errors.ts'
import type { Forge, Pull, Repository } from '../forge.ts'
import { type PullAnswer, RefAnswer, RepositoryAnswer, statusOf } from './answers.ts'
import { type Client, createClient, ordinaryPatience, type Patience } from './client.ts'
import { ensurePullOnGitHub } from './ensure-pull.ts'
import { type Doing, explainApi } from './explain-api.ts'
import { listFamily } from './family.ts'
import { nameAt } from './names.ts'
import { pushToGitHub } from './push.ts'
import { openGitHubRemote } from './remote.ts'
import { createSignIn, type Credentials, type Purpose } from './sign-in.ts'

export type GitHubForgeOptions = {
  /** Of the pages and of git: `https://github.com`, or an Enterprise server. Without a slash at the end. */
  url: string
  auth: Credentials
  /** Where tokens lie while git runs; nobody else may read it. */
  credentialsDir: string
  patience?: Partial<Patience>
}

/**
 * github.com or an Enterprise server. Each act signs in for itself with no more than it needs; what is on GitHub is found there,
 * never remembered. Merging and closing stay with people on GitHub's own pages.
 */
export function createGitHubForge(options: GitHubForgeOptions): Forge {
  const patience = { ...ordinaryPatience, ...options.patience }
  const { url, credentialsDir } = options
  const { host } = new URL(url)
  const api = host === 'github.com' ? 'https://api.github.com' : `${url}/api/v3`
  const forge = host === 'github.com' ? 'github' : `github at ${host}`
  const signIn = createSignIn({ credentials: options.auth, api, patience })
  const oneAtATime = createTurns()

  type Act<T> = { name: string; purpose: Purpose; doing: Doing; act: (client: Client) => Promise<T> }
  async function ask<T>({ name, purpose, doing, act }: Act<T>): Promise<T> {
    const once = async () => act(createClient(api, { token: await signIn.tokenFor(name, purpose) }, patience))
    try {
      return await once().catch((error: unknown) => {
        // A token may have been withdrawn in the middle: everything we ask for may be asked again.
        if (statusOf(error) === 401 && signIn.renews) return once()
        throw error
      })
    } catch (error) {
      throw explainApi(error, `${doing} ${name}`, Date.now())
    }
  }
  const remoteOptions = { url, signIn, credentialsDir, silentSeconds: patience.silentSeconds }
  const remoteFor = async (repository: Repository, purpose: 'read' | 'publish') => {
    try {
      return await openGitHubRemote(remoteOptions, repository, purpose)
    } catch (error) {
      throw explainApi(error, `signing in for ${repository.name}`, Date.now())
    }
  }

  return {
    name: forge,
    async locate(written) {
      const wanted = nameAt(host, written)
      if (wanted === undefined) {
        throw new StepFailed('no_checkout', `${JSON.stringify(written)} is no repository at ${host}`, {
          hint: 'write repository: owner/name',
        })
      }
      const [owner = '', repo = ''] = wanted.split('/')
      const look = async (client: Client) => RepositoryAnswer.parse((await client.rest.repos.get({ owner, repo })).data)
      const found = await ask({ name: wanted, purpose: 'look', doing: 'looking for', act: look })
      const name = found.full_name
      if (found.archived) {
        throw new StepFailed('push_refused', `${name} is archived: nothing can be published there`, {
          hint: 'unarchive it, or correct `repository:`',
        })
      }
      const isRenamed = name.toLowerCase() !== wanted.toLowerCase()
      const notes = isRenamed ? { notes: [`${wanted} is ${name} now: write that in \`repository:\``] } : {}
      return { forge, name, url: `${url}/${name}.git`, ...notes }
    },

    openRemote: (repository) => remoteFor(repository, 'read'),

    findHead({ name }, branch) {
      const [owner = '', repo = ''] = name.split('/')
      const act = async (client: Client) => {
        try {
          return RefAnswer.parse((await client.rest.git.getRef({ owner, repo, ref: `heads/${branch}` })).data).object
            .sha
        } catch (error) {
          if (statusOf(error) === 404 || statusOf(error) === 409) return undefined
          throw error
        }
      }
      return ask({ name, purpose: 'read', doing: `looking at the branch ${branch} of`, act })
    },

    async ensureBranch(push) {
      push.signal.throwIfAborted()
      await using remote = await remoteFor(push.repository, 'publish')
      await pushToGitHub(remote, push)
    },

    async findPulls({ name }, branchPrefix) {
      const act = (client: Client) => listFamily({ client, name, branchPrefix })
      const found = await ask({ name, purpose: 'publish', doing: 'listing the pull requests of', act })
      return found.map((pull) => pullOf(name, pull))
    },

    async ensurePull(draft) {
      const { name } = draft.repository
      const [owner = '', repo = ''] = name.split('/')
      const act = (client: Client) => ensurePullOnGitHub({ client, owner, repo, pauseMs: patience.pauseMs }, draft)
      // Two runs of this process would only refuse each other; those of other processes find each other on GitHub.
      const { pull, notes } = await oneAtATime(`${name} ${draft.branch}`, () =>
        ask({ name, purpose: 'publish', doing: `opening the pull request of ${draft.branch} in`, act }),
      )
      const answer = { ...pullOf(name, pull), head: draft.head }
      return notes.length === 0 ? answer : { ...answer, notes }
    },
  }
}

function pullOf(name: string, pull: PullAnswer): Pull {
  const ended = pull.merged_at ? 'merged' : 'closed'
  return {
    id: `${name}#${pull.number}`,
    repository: name,
    number: pull.number,
    url: pull.html_url,
    branch: pull.head.ref,
    base: pull.base.ref,
    head: pull.head.sha,
    title: pull.title,
    body: pull.body ?? '',
    state: pull.state === 'open' ? 'open' : ended,
    draft: pull.draft,
  }
}

function createTurns() {
  const last = new Map<string, Promise<unknown>>()
  return async <T>(key: string, act: () => Promise<T>): Promise<T> => {
    const mine = (last.get(key) ?? Promise.resolve()).then(act, act)
    const settled = mine.catch(() => {})
    last.set(key, settled)
    try {
      return await mine
    } finally {
      if (last.get(key) === settled) last.delete(key)
    }
  }
}
