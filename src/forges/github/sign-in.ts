import { StepFailed } from '../../errors.ts'
import { InstallationAnswer, sentenceOf, statusOf, TokenAnswer } from './answers.ts'
import { type Client, createClient, type Patience } from './client.ts'
import { permissionHint, visibleHint } from './explain-api.ts'
import { readKey } from './key.ts'

/** As the configuration gives it; undefined = nobody is signed in. */
export type Credentials = { kind: 'token'; token: string } | { kind: 'app'; appId: string; keyFile: string } | undefined

/** What a token is for: `look` sees that a repository is there, `list` its pull requests; `check` and `comment` write those alone. */
export type Purpose = 'look' | 'read' | 'list' | 'check' | 'comment' | 'publish'
const permissions = {
  look: { metadata: 'read' },
  read: { contents: 'read', metadata: 'read' },
  list: { contents: 'read', pull_requests: 'read', metadata: 'read' },
  check: { checks: 'write', metadata: 'read' },
  comment: { pull_requests: 'write', metadata: 'read' },
  publish: { contents: 'write', pull_requests: 'write', metadata: 'read' },
} as const

export type SignIn = {
  /** A token for this use of this repository; undefined when nobody is signed in. */
  tokenFor(name: string, purpose: Purpose, signal: AbortSignal | undefined): Promise<string | undefined>
  /** Whether asking again gives another token. */
  renews: boolean
}

type SignInOptions = { credentials: Credentials; api: string; patience: Patience }

/** One token a use: of an App for one repository with the least permissions. Throws StepFailed `no_checkout`, `forge_denied`. */
export function createSignIn({ credentials, api, patience }: SignInOptions): SignIn {
  if (credentials?.kind !== 'app') {
    return {
      renews: false,
      async tokenFor(name, purpose) {
        if (credentials !== undefined || purpose !== 'publish') return credentials?.token
        throw new StepFailed('forge_denied', `nobody is signed in, so nothing can be published to ${name}`, {
          hint: 'set OVERNIGHT_GITHUB_APP_ID and OVERNIGHT_GITHUB_APP_KEY_FILE, or OVERNIGHT_GITHUB_TOKEN',
        })
      },
    }
  }
  const installations = new Map<string, number>()
  return {
    renews: true,
    async tokenFor(name, purpose, signal) {
      const privateKey = await readKey(credentials.keyFile)
      const client = createClient({ appId: credentials.appId, privateKey }, { api, patience, signal })
      const installation = installations.get(name) ?? (await findInstallation(client, name))
      installations.set(name, installation)
      try {
        return await mint(client, { installation, name, purpose })
      } catch (error) {
        installations.delete(name)
        throw error
      }
    },
  }
}

async function findInstallation(client: Client, name: string): Promise<number> {
  const [owner = '', repo = ''] = name.split('/')
  try {
    return InstallationAnswer.parse((await client.rest.apps.getRepoInstallation({ owner, repo })).data).id
  } catch (error) {
    throw statusOf(error) === 404 ? notInstalled(name, error) : error
  }
}

type Wish = { installation: number; name: string; purpose: Purpose }

async function mint(client: Client, { installation, name, purpose }: Wish): Promise<string> {
  const repositories = [name.split('/')[1] ?? '']
  const ask = (narrowed: { repositories?: string[] }) =>
    client.rest.apps.createInstallationAccessToken({
      installation_id: installation,
      permissions: permissions[purpose],
      ...narrowed,
    })
  try {
    return TokenAnswer.parse((await ask({ repositories })).data).token
  } catch (error) {
    if (statusOf(error) === 404) throw notInstalled(name, error)
    if (statusOf(error) !== 422) throw error
    // A repository that was renamed is not known by its old name here: what may only look finds out where it went.
    if (purpose === 'look') return TokenAnswer.parse((await ask({})).data).token
    throw /permission/i.test(sentenceOf(error)) ? lacksPermissions({ name, purpose }, error) : notGranted(name, error)
  }
}

function lacksPermissions({ name, purpose }: Pick<Wish, 'name' | 'purpose'>, cause: unknown): StepFailed {
  const hint = purpose === 'check' ? 'give the App read and write access to Checks of this repository' : permissionHint
  return new StepFailed('forge_denied', `the GitHub App lacks permissions for ${name}`, { hint, cause })
}

/** In the middle of a run it may have been renamed: looking for it again finds it. */
function notGranted(name: string, cause: unknown): StepFailed {
  const message = `${name} has moved, or the GitHub App may not see it any more`
  return new StepFailed('no_checkout', message, { retryable: true, hint: visibleHint, cause })
}

function notInstalled(name: string, cause: unknown): StepFailed {
  const message = `${name} is not there, or the GitHub App is not installed on it`
  return new StepFailed('no_checkout', message, { hint: visibleHint, cause })
}
