import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { getCACertificates } from 'node:tls'

/** No use of git lasts so long; an older folder was left by another machine that stopped. */
const abandonedMs = 6 * 3_600_000

export type CredentialsFolder = AsyncDisposable & {
  /** Answers git's questions with the token that was written last. */
  askpass: string
  write(token: string | undefined): Promise<void>
  /** The file that holds these certificates. */
  trust(authorities: string): Promise<string>
}

/** A folder that only this user can read, for one use of git; disposing removes it. */
export async function openCredentials(root: string, origin: string): Promise<CredentialsFolder> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const folder = await mkdtemp(join(root, `${process.pid}@${hostname()}@`))
  const path = join(folder, 'askpass')
  await writeFile(path, askpass(origin), { mode: 0o700 })
  return {
    askpass: path,
    write: (token) => writeFile(join(folder, 'token'), `${token ?? ''}\n`, { mode: 0o600 }),
    async trust(authorities) {
      const file = join(folder, 'authorities.pem')
      await writeFile(file, authorities, { mode: 0o600 })
      return file
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Removes the tokens of processes that were killed while git ran. */
export async function sweepCredentials(root: string): Promise<void> {
  const begun = Date.now() - process.uptime() * 1000
  for (const name of await readdir(root).catch(() => [])) {
    const [pid = '', host = ''] = name.split('@')
    const path = join(root, name)
    const found = await stat(path).catch(() => undefined)
    if (found === undefined) continue
    const isOld = Date.now() - found.mtimeMs > abandonedMs
    // In a container that was started again a process has the number of the one before.
    const isAlive = Number(pid) === process.pid ? found.mtimeMs >= begun : isRunning(Number(pid))
    if (isOld || (host === hostname() && !isAlive)) await rm(path, { recursive: true, force: true })
  }
}

/**
 * git trusts whom this process trusts, when the operator named an authority (NODE_EXTRA_CA_CERTS): the file with all of them, in
 * PEM; undefined = git's own, which are the machine's.
 */
export function authorities(): string | undefined {
  return getCACertificates('extra').length === 0 ? undefined : getCACertificates('default').join('\n')
}

function isRunning(pid: number): boolean {
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
