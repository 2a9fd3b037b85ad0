import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { nativeHeap } from '../../src/native-heap.ts'
import { codeCache } from './code-cache.ts'

const root = resolve(import.meta.dirname, '../..')

export type ServiceProcess = AsyncDisposable & {
  url: string
  pid: number
  /** What it wrote on stderr so far: one JSON line an event. */
  log(): string
  /** Resolves with how the process ended. */
  exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  kill(signal: NodeJS.Signals): void
  fetch(path: string, init?: RequestInit): Promise<Response>
  post<T>(path: string, body?: unknown, headers?: Record<string, string>): Promise<T>
  get<T>(path: string): Promise<T>
}

export type StartOptions = {
  data: string
  routines: string
  env?: Record<string, string>
  /** The script to start instead of the CLI's `up`; it prints what `up` prints. */
  script?: string
  /** The command to start instead of `up`. */
  argv?: readonly string[]
  /** Starts it in the mount namespace of a process: its files are seen from here below `root`. */
  within?: { pid: number; root: string }
}

/** A real service in a process of its own, with an environment of its own. Resolves when it answers. */
export async function startService(options: StartOptions): Promise<ServiceProcess> {
  const argv = options.script ? [options.script] : [join(root, 'src/overnight.js'), ...(options.argv ?? ['up'])]
  const { within } = options
  const enter = within ? ['nsenter', '--mount', `--target=${within.pid}`, '--', process.execPath] : [process.execPath]
  const child = spawn(enter[0]!, [...enter.slice(1), ...argv], {
    cwd: root,
    // The CLI's own start does this for itself.
    env: { ...(options.script ? nativeHeap : {}), ...environment(options) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk))
  const exit = once(child, 'exit').then(() => ({ code: child.exitCode, signal: child.signalCode }))
  const url = await Promise.race([
    firstUrl(child),
    exit.then(({ code, signal }) => Promise.reject(new Error(`the service ended with ${code ?? signal}:\n${log}`))),
  ])
  const token = (await readFile(join(within?.root ?? '', options.data, 'token'), 'utf8')).trim()
  const request = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, url), {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'overnight-client': 'cli', ...(init.headers as object) },
    })
  const json = async <T>(answer: Response): Promise<T> => {
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${answer.status} ${text}`)
    return JSON.parse(text) as T
  }
  return {
    url,
    pid: child.pid!,
    log: () => log,
    exit,
    kill: (signal) => void child.kill(signal),
    fetch: request,
    get: async (path) => json(await request(path)),
    post: async (path, body, headers) =>
      json(
        await request(path, {
          method: 'POST',
          body: JSON.stringify(body ?? {}),
          headers: { 'content-type': 'application/json', ...headers },
        }),
      ),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      await exit
    },
  }
}

function environment({ data, routines, env }: StartOptions): Record<string, string> {
  return {
    ...codeCache,
    PATH: process.env['PATH'] ?? '',
    HOME: data,
    OVERNIGHT_DATA: data,
    OVERNIGHT_ROUTINES: routines,
    OVERNIGHT_PORT: '0',
    OVERNIGHT_LEASE_SECONDS: '2',
    ...env,
  }
}

async function firstUrl(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout!) {
    text += String(chunk)
    const url = /up at (http:\S+)/.exec(text)?.[1]
    if (url) {
      child.stdout!.resume()
      return url
    }
  }
  // It has ended; its exit tells why.
  return new Promise(() => {})
}

type Ended = {
  run: string
  state: string
  reason: string | null
  message: string | null
  branch: string | null
  commit: string | null
  base: string | null
  files: number | null
  pullRequest: { number: number; url: string } | null
  seconds: number | null
  title: string | null
  notes: string[]
  sandbox: string | null
}
const resting = ['published', 'unchanged', 'reported', 'failed', 'cancelled', 'timed_out', 'skipped', 'needs_approval']

/** Waits by the run's own event stream until it has ended or rests, and answers what it then is. */
export async function untilSettled(service: Pick<ServiceProcess, 'fetch' | 'get'>, run: string): Promise<Ended> {
  const now = await service.get<Ended>(`/v1/runs/${run}`)
  if (resting.includes(now.state)) return now
  const answer = await service.fetch(`/v1/runs/${run}/events`)
  let text = ''
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text = (text + chunk).slice(-20_000)
    if (resting.some((state) => text.includes(`"state":"${state}"`))) break
  }
  return service.get<Ended>(`/v1/runs/${run}`)
}
