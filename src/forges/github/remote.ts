import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Git, GitFailed, runGit } from '../../checkout/git.ts'
import type { Remote, Repository } from '../forge.ts'
import { explainGit, isSignInFailure } from './explain-git.ts'
import type { Purpose, SignIn } from './sign-in.ts'
import { untilAborted } from './until-aborted.ts'

export type RemoteOptions = {
  /** Of pages and git: `https://github.com`. */
  url: string
  signIn: SignIn
  /** Where tokens lie while git runs; nobody else may read it. */
  credentialsDir: string
  silentSeconds: number
  purpose: Extract<Purpose, 'read' | 'publish'>
  signal: AbortSignal | undefined
}

/** No use of git lasts so long; an older folder was left by another machine that stopped. */
const abandonedMs = 6 * 3_600_000

/**
 * git with a token for one use. The token is in a file that only our askpass script reads, so that it is in no argument, no
 * environment, no configuration and no trace; the script answers for one host alone, and redirects are not followed.
 */
export async function openGitHubRemote(options: RemoteOptions, { name }: Repository): Promise<Remote> {
  const { url, signIn, purpose, credentialsDir, silentSeconds, signal } = options
  const token = await untilAborted(signIn.tokenFor(name, purpose, signal), signal)
  const folder = token === undefined ? undefined : await openCredentials(credentialsDir, new URL(url).origin)
  const write = (value: string | undefined) =>
    folder === undefined ? undefined : writeFile(join(folder, 'token'), `${value ?? ''}\n`, { mode: 0o600 })
  await write(token)

  const settings = settingsFor(url, silentSeconds)
  const askpass: Record<string, string> = folder === undefined ? {} : { GIT_ASKPASS: join(folder, 'askpass') }
  const once: Git = (args, git = {}) => runGit([...settings, ...args], { ...git, env: { ...git.env, ...askpass } })
  let renewed = !signIn.renews
  const git: Git = async (args, options) => {
    try {
      return await once(args, options)
    } catch (error) {
      if (renewed || !(error instanceof GitFailed) || !isSignInFailure(error.stderr)) throw error
      // A token may have been withdrawn, or not be known everywhere yet: one more, and then it is named.
      renewed = true
      await write(await signIn.tokenFor(name, purpose, signal))
      return once(args, options)
    }
  }
  return {
    git,
    explain: (error) => explainGit(error, name),
    [Symbol.asyncDispose]: async () => {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

function settingsFor(url: string, silentSeconds: number): string[] {
  const settings = [
    'http.followRedirects=false',
    // Servers that think send a byte every few seconds.
    'http.lowSpeedLimit=1',
    `http.lowSpeedTime=${silentSeconds}`,
    ...(url.startsWith('http:') ? ['protocol.http.allow=always'] : []),
  ]
  return settings.flatMap((setting) => ['-c', setting])
}

async function openCredentials(root: string, origin: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  await removeAbandoned(root)
  const folder = await mkdtemp(join(root, `${process.pid}@${hostname()}@`))
  await writeFile(join(folder, 'askpass'), askpass(origin), { mode: 0o700 })
  return folder
}

async function removeAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const [pid = '', host = ''] = name.split('@')
    const found = await stat(join(root, name)).catch(() => undefined)
    const isOld = found !== undefined && Date.now() - found.mtimeMs > abandonedMs
    if (isOld || (host === hostname() && !isAlive(Number(pid))))
      await rm(join(root, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** git asks "Username for 'https://github.com': " and then "Password for 'https://x-access-token@github.com': ". */
function askpass(origin: string): string {
  const [scheme = '', host = ''] = origin.split('://')
  return `#!/bin/sh
case "$1" in
  "Username for '${scheme}://${host}': ") echo x-access-token ;;
  "Password for '${scheme}://x-access-token@${host}': ") exec cat "\${0%/*}/token" ;;
  *) exit 1 ;;
esac
`
}
