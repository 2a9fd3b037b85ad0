import { z } from 'zod'
import { Login, RepositoryAnswer, AppAnswer, statusOf } from './answers.ts'
import { createAsk } from './ask.ts'
import { apiOf, createClient, ordinaryPatience, type Patience } from './client.ts'
import { explainApi } from './explain-api.ts'
import { readKey } from './key.ts'
import { nameAt } from './names.ts'
import { createRemembered } from './remembered.ts'
import { createSignIn, type Credentials } from './sign-in.ts'

/** As whom we act: what comes back to us as an event was done by this account. */
type Self = { login: string; isApp: boolean }
type Permission = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none'

/** What has to be asked of GitHub about an event. All throw StepFailed, retryable when GitHub is away. */
export type GitHubDesk = {
  /** False: nobody is signed in, and nothing can be asked. */
  isSignedIn: boolean
  self(): Promise<Self | undefined>
  /** What somebody may do in a repository, as GitHub said at most a minute ago. */
  permissionOf(repository: string, login: string): Promise<Permission>
  /** The paths a pull request changes; GitHub names at most 3,000. */
  changedFiles(repository: string, pull: number): Promise<string[]>
  /** Does the branch of this pull request, or this commit of a branch, live in another repository, or nowhere any more? */
  isFromFork(repository: string, about: { pull: number } | { branch: string; commit: string }): Promise<boolean>
  /** The name of a repository of this forge that is written there; undefined when it lies elsewhere. */
  nameAt(written: string): string | undefined
  /** How GitHub calls the repository now, as of an hour ago; undefined when it lies elsewhere. */
  nameOf(written: string): Promise<string | undefined>
}

export type DeskOptions = { url: string; auth: Credentials; patience?: Partial<Patience> }

const minuteMs = 60_000
const PermissionAnswer = z.object({ permission: z.string(), role_name: z.string().optional() })
const known: readonly string[] = ['admin', 'maintain', 'write', 'triage', 'read', 'none']
const isPermission = (word: string): word is Permission => known.includes(word)
const FileAnswer = z.object({ filename: z.string(), previous_filename: z.string().optional() })
const Side = z.object({ repo: z.object({ id: z.number() }).nullish() })
const Compared = z.object({ status: z.string() })
const PullSides = z.object({ head: Side, base: Side })

export function createGitHubDesk({ url, auth, ...options }: DeskOptions): GitHubDesk {
  const patience = { ...ordinaryPatience, ...options.patience }
  const api = apiOf(url)
  const { host } = new URL(url)
  const ask = createAsk({ api, patience, signIn: createSignIn({ credentials: auth, api, patience }) })
  const remember = createRemembered()
  const signal = undefined
  const parts = (name: string) => {
    const [owner = '', repo = ''] = name.split('/')
    return { owner, repo }
  }

  async function askSelf(): Promise<Self | undefined> {
    if (auth === undefined) return undefined
    try {
      if (auth.kind === 'token') {
        const answer = await createClient(
          { token: auth.token },
          { api, patience, signal },
        ).rest.users.getAuthenticated()
        return { login: Login.parse(answer.data).login, isApp: false }
      }
      const privateKey = await readKey(auth.keyFile)
      const client = createClient({ appId: auth.appId, privateKey }, { api, patience, signal })
      return { login: `${AppAnswer.parse((await client.rest.apps.getAuthenticated()).data).slug}[bot]`, isApp: true }
    } catch (error) {
      throw explainApi(error, `signing in at ${url}`, Date.now())
    }
  }

  function askPermission(name: string, username: string): Promise<Permission> {
    return ask({
      name,
      purpose: 'look',
      doing: `asking what ${username} may do in`,
      signal,
      act: async (client) => {
        try {
          const answer = await client.rest.repos.getCollaboratorPermissionLevel({ ...parts(name), username })
          const { permission, role_name: role } = PermissionAnswer.parse(answer.data)
          return [role ?? '', permission].find(isPermission) ?? 'none'
        } catch (error) {
          // Nobody of that name (any more).
          if (statusOf(error) === 404) return 'none'
          throw error
        }
      },
    })
  }

  async function askName(wanted: string): Promise<string> {
    const act = async (client: Parameters<Parameters<typeof ask>[0]['act']>[0]) =>
      RepositoryAnswer.parse((await client.rest.repos.get(parts(wanted))).data).full_name
    // Whatever is wrong with it is told by its runs; here it is only not this one.
    return ask({ name: wanted, purpose: 'look', doing: 'looking for', act, signal }).catch(() => wanted)
  }

  function askPull(name: string, pull: number): Promise<boolean> {
    return ask({
      name,
      purpose: 'list',
      doing: `looking at pull request ${pull} in`,
      signal,
      act: async (client) => {
        const answer = await client.rest.pulls.get({ ...parts(name), pull_number: pull })
        const { head, base } = PullSides.parse(answer.data)
        return !head.repo || head.repo.id !== base.repo?.id
      },
    })
  }

  /** Commits of forks can be named in the repository, too; none of its branches stands at them or came over them. */
  function askBranch(name: string, { branch, commit }: { branch: string; commit: string }): Promise<boolean> {
    return ask({
      name,
      purpose: 'read',
      doing: `looking whether ${branch} has the commit ${commit} in`,
      signal,
      act: async (client) => {
        const wish = { ...parts(name), basehead: `${commit}...${branch}`, per_page: 1 }
        try {
          const { status } = Compared.parse((await client.rest.repos.compareCommitsWithBasehead(wish)).data)
          return status !== 'identical' && status !== 'ahead'
        } catch (error) {
          if (statusOf(error) === 404) return true
          throw error
        }
      },
    })
  }

  return {
    isSignedIn: auth !== undefined,
    self: () => remember('self', 60 * minuteMs, askSelf),
    permissionOf: (repository, login) =>
      remember(`may ${repository} ${login}`.toLowerCase(), minuteMs, () => askPermission(repository, login)),
    changedFiles: (name, pull) =>
      ask({
        name,
        purpose: 'list',
        doing: `listing the files of pull request ${pull} in`,
        signal,
        act: async (client) => {
          const wish = { ...parts(name), pull_number: pull, per_page: 100 }
          const files = FileAnswer.array().parse(await client.paginate(client.rest.pulls.listFiles, wish))
          return files.flatMap((file) => [file.filename, ...(file.previous_filename ? [file.previous_filename] : [])])
        },
      }),
    isFromFork: (name, about) => ('pull' in about ? askPull(name, about.pull) : askBranch(name, about)),
    nameAt: (written) => nameAt(host, written),
    async nameOf(written) {
      const wanted = nameAt(host, written)
      if (wanted === undefined || auth === undefined) return wanted
      return remember(`name ${wanted}`.toLowerCase(), 60 * minuteMs, () => askName(wanted))
    },
  }
}
