import { StepFailed } from '../../errors.ts'
import type { Forge, FoundPull, Pull, Repository } from '../forge.ts'
import { PullAnswer, RefAnswer, RepositoryAnswer, statusOf } from './answers.ts'
import { createAsk } from './ask.ts'
import { apiOf, type Client, ordinaryPatience, type Patience } from './client.ts'
import { ensurePullOnGitHub } from './ensure-pull.ts'
import { explainApi } from './explain-api.ts'
import { listFamily, ownOf } from './family.ts'
import { nameAt } from './names.ts'
import { pushToGitHub } from './push.ts'
import { openGitHubRemote, type Proxy } from './remote.ts'
import { createSignIn, type Credentials } from './sign-in.ts'
import { createTurns } from './turns.ts'

export type GitHubForgeOptions = {
  /** Of the pages and of git: `https://github.com`, or an Enterprise server. Without a slash at the end. */
  url: string
  auth: Credentials
  /** Where tokens lie while git runs; nobody else may read it. */
  credentialsDir: string
  proxy?: Proxy | undefined
  patience?: Partial<Patience>
}

/**
 * github.com or an Enterprise server. Each act signs in for itself with no more than it needs; what is on GitHub is found there,
 * never remembered. Merging and closing stay with people on GitHub's own pages.
 */
export function createGitHubForge(options: GitHubForgeOptions): Forge {
  const patience = { ...ordinaryPatience, ...options.patience }
  const { url, credentialsDir, proxy } = options
  const { host } = new URL(url)
  const api = apiOf(url)
  const forge = host === 'github.com' ? 'github' : `github at ${host}`
  const signIn = createSignIn({ credentials: options.auth, api, patience })
  const oneAtATime = createTurns()

  const ask = createAsk({ api, patience, signIn })

  async function remoteFor(repository: Repository, purpose: 'read' | 'publish', signal: AbortSignal | undefined) {
    const { silentSeconds } = patience
    const remote = { url, signIn, purpose, credentialsDir, silentSeconds, proxy, signal }
    try {
      return await openGitHubRemote(remote, repository)
    } catch (error) {
      signal?.throwIfAborted()
      throw explainApi(error, `signing in for ${repository.name}`, Date.now())
    }
  }

  return {
    name: forge,
    async locate(written, _from, signal) {
      const wanted = nameAt(host, written)
      if (wanted === undefined) {
        throw new StepFailed('no_checkout', `${JSON.stringify(written)} is no repository at ${host}`, {
          hint: 'write repository: owner/name',
        })
      }
      const [owner = '', repo = ''] = wanted.split('/')
      const look = async (client: Client) => RepositoryAnswer.parse((await client.rest.repos.get({ owner, repo })).data)
      const found = await ask({ name: wanted, purpose: 'look', doing: 'looking for', act: look, signal })
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

    openRemote: (repository, signal) => remoteFor(repository, 'read', signal),

    findHead({ name }, branch, signal) {
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
      return ask({ name, purpose: 'read', doing: `looking at the branch ${branch} of`, act, signal })
    },

    async ensureBranch(push) {
      push.signal.throwIfAborted()
      await using remote = await remoteFor(push.repository, 'publish', push.signal)
      await pushToGitHub(remote, push)
    },

    async findPulls({ name }, branchPrefix, signal) {
      const act = (client: Client) => listFamily({ client, name, branchPrefix })
      const found = await ask({ name, purpose: 'list', doing: 'listing the pull requests of', act, signal })
      return found.map((pull) => pullOf(name, pull))
    },

    findPull({ name }, number, signal) {
      const [owner = '', repo = ''] = name.split('/')
      const act = async (client: Client): Promise<FoundPull | undefined> => {
        try {
          const pull = PullAnswer.parse((await client.rest.pulls.get({ owner, repo, pull_number: number })).data)
          const { url, branch, base, state } = pullOf(name, pull)
          const fork = ownOf([pull], name).length === 0
          return { number, url, branch, base, state, ref: `refs/pull/${number}/head`, fork }
        } catch (error) {
          if (statusOf(error) === 404) return undefined
          throw error
        }
      }
      return ask({ name, purpose: 'list', doing: `looking at pull request ${number} of`, act, signal })
    },

    async ensurePull(draft, signal) {
      const { name } = draft.repository
      const [owner = '', repo = ''] = name.split('/')
      const act = (client: Client) => ensurePullOnGitHub({ client, owner, repo, pauseMs: patience.pauseMs }, draft)
      // Two runs of this process would only refuse each other; those of other processes find each other on GitHub.
      const { pull, notes } = await oneAtATime(`${name} ${draft.branch}`, () =>
        ask({ name, purpose: 'publish', doing: `opening the pull request of ${draft.branch} in`, act, signal }),
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
