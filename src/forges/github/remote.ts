import { type Git, GitFailed, runGit } from '../../checkout/git.ts'
import type { Remote, Repository } from '../forge.ts'
import { authorities, openCredentials, sweepCredentials } from './credentials.ts'
import { explainGit, isSignInFailure } from './explain-git.ts'
import type { Purpose, SignIn } from './sign-in.ts'
import { untilAborted } from './until-aborted.ts'

/** What stands between this machine and the forge, and the hosts that are reached without it (as in NO_PROXY). */
export type Proxy = { url: string; except: string }

export type RemoteOptions = {
  /** Of pages and git: `https://github.com`. */
  url: string
  signIn: SignIn
  /** Where tokens lie while git runs; nobody else may read it. */
  credentialsDir: string
  silentSeconds: number
  proxy: Proxy | undefined
  purpose: Extract<Purpose, 'read' | 'publish'>
  signal: AbortSignal | undefined
}

/**
 * git with a token for one use. The token is in a file that only our askpass script reads, so that it is in no argument, no
 * environment, no configuration and no trace; the script answers for one host alone, and redirects are not followed.
 */
export async function openGitHubRemote(options: RemoteOptions, { name }: Repository): Promise<Remote> {
  const { url, signIn, purpose, credentialsDir, silentSeconds, proxy, signal } = options
  const token = await untilAborted(signIn.tokenFor(name, purpose, signal), signal)
  await sweepCredentials(credentialsDir)
  const trusted = url.startsWith('https:') ? authorities() : undefined
  const folder =
    token === undefined && trusted === undefined
      ? undefined
      : await openCredentials(credentialsDir, new URL(url).origin)
  if (token !== undefined) await folder?.write(token)
  const authoritiesFile = trusted === undefined ? undefined : await folder?.trust(trusted)

  const settings = settingsFor({ url, silentSeconds, authoritiesFile })
  const ways: Record<string, string> = {
    ...(folder === undefined || token === undefined ? {} : { GIT_ASKPASS: folder.askpass }),
    ...(proxy === undefined ? {} : { https_proxy: proxy.url, no_proxy: proxy.except }),
  }
  const once: Git = (args, git = {}) => runGit([...settings, ...args], { ...git, env: { ...git.env, ...ways } })
  let renewed = !signIn.renews
  const git: Git = async (args, options) => {
    try {
      return await once(args, options)
    } catch (error) {
      if (renewed || !(error instanceof GitFailed) || !isSignInFailure(error.stderr)) throw error
      // A token may have been withdrawn, or not be known everywhere yet: one more, and then it is named.
      renewed = true
      await folder?.write(await signIn.tokenFor(name, purpose, signal))
      return once(args, options)
    }
  }
  return {
    git,
    explain: (error) => explainGit(error, name),
    [Symbol.asyncDispose]: async () => folder?.[Symbol.asyncDispose](),
  }
}

type Way = { url: string; silentSeconds: number; authoritiesFile: string | undefined }

function settingsFor({ url, silentSeconds, authoritiesFile }: Way): string[] {
  const settings = [
    'http.followRedirects=false',
    // Servers that think send a byte every few seconds.
    'http.lowSpeedLimit=1',
    `http.lowSpeedTime=${silentSeconds}`,
    ...(authoritiesFile === undefined ? [] : [`http.sslCAInfo=${authoritiesFile}`]),
    ...(url.startsWith('http:') ? ['protocol.http.allow=always'] : []),
  ]
  return settings.flatMap((setting) => ['-c', setting])
}
