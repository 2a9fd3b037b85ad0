import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { originUrl } from './checkout.ts'
import { startGit } from './git.ts'
import { killGroup } from './hear.ts'

/** What git asks of a repository when it fetches: which branches there are, or what it lacks of them (gitprotocol-http(5)). */
export type FetchRequest = {
  /** Absent when the branches are asked for. */
  input: Readable | undefined
  output: Writable
  /** `version=2` as the client says it; undefined is the oldest. */
  protocol: string | undefined
  signal: AbortSignal
}

/** The addresses by which git asks for the repository at `url`, with `.git` behind it or not. One on this machine is not named to agents. */
export function addressesOf(url: string): string[] {
  return [originUrl, ...(URL.parse(url)?.protocol === 'https:' ? [url.replace(/\.git$/, '')] : [])]
}

/** Branches alone: whatever else is kept in a mirror is nobody's business. One thread, because nobody waits for the others. */
const settings = [
  'transfer.hideRefs=refs/',
  'transfer.hideRefs=!refs/heads/',
  'uploadpack.allowFilter=true',
  'pack.threads=1',
].flatMap((setting) => ['-c', setting])

/** Answers a fetch from a mirror, which it only reads. Rejects when git fails, when a side breaks off, and when `signal` fires. */
export async function serveMirror(gitDir: string, request: FetchRequest): Promise<void> {
  const { input, output, protocol, signal } = request
  signal.throwIfAborted()
  const advertise = input === undefined ? ['--http-backend-info-refs'] : []
  const child = startGit([...settings, 'upload-pack', '--stateless-rpc', '--strict', ...advertise, gitDir], {
    env: protocol === undefined ? {} : { GIT_PROTOCOL: protocol },
  })
  // What it costs is no part of the sandbox, so it waits for everybody else.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
  const stop = () => killGroup(child, 'SIGKILL')
  signal.addEventListener('abort', stop, { once: true })
  try {
    const { stdin, stdout, stderr } = child
    if (!stdin || !stdout) throw new Error('git has no pipes')
    stderr?.resume()
    // It may know enough before it has read everything.
    stdin.on('error', () => undefined)
    const told = input === undefined ? void stdin.end() : pipeline(input, stdin).catch(stop)
    const exited = once(child, 'close')
    await pipeline(stdout, output)
    await Promise.all([told, exited])
    signal.throwIfAborted()
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}
