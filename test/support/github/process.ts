import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { readJournal, type JournalLine } from './journal.ts'
import type { GitHub } from './stand-in.ts'

/** What the process tells on its one line. */
type Told = {
  url: string
  host: string
  tokens: { owner: string; reader: string }
  app: { id: string; keyFile: string }
  journal: string
  repositories: Record<string, string>
}
type Act =
  | 'fault'
  | 'hookAt'
  | 'deliver'
  | 'redeliver'
  | 'healthy'
  | 'expireTokens'
  | 'removeInstallation'
  | 'archive'
  | 'rename'
  | 'close'
  | 'merge'
  | 'commit'
  | 'pulls'
  | 'checkRuns'
  | 'propose'
  | 'renameBranch'
  | 'comments'
type Answer<Name extends Act> = Awaited<ReturnType<GitHub[Name]>>
export type GitHubProcess = AsyncDisposable &
  Told & {
    pid: number
    act<Name extends Act>(name: Name, ...args: Parameters<GitHub[Name]>): Promise<Answer<Name>>
    lines(): JournalLine[]
    /** What a service needs to be signed in. */
    env(as: 'app' | 'token'): Record<string, string>
  }

/** The stand-in in a process of its own, so that workers can be killed around it. */
export async function startGitHub(
  folder: string,
  repositories: readonly string[] = ['acme/shop'],
): Promise<GitHubProcess> {
  const argv = ['--folder', folder, ...repositories.flatMap((name) => ['--repository', name])]
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...argv], {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const first = once(createInterface(child.stdout), 'line') as Promise<[string]>
  const [line] = await Promise.race([
    first,
    exit.then(([code]) => Promise.reject(new Error(`the stand-in ended with ${code}`))),
  ])
  const told = JSON.parse(line) as Told
  return {
    ...told,
    pid: child.pid!,
    act: (name, ...args) => ask(told.url, name, args),
    lines: () => readJournal(told.journal),
    env: (as) => ({
      OVERNIGHT_GITHUB_URL: told.url,
      ...(as === 'token'
        ? { OVERNIGHT_GITHUB_TOKEN: told.tokens.owner }
        : { OVERNIGHT_GITHUB_APP_ID: told.app.id, OVERNIGHT_GITHUB_APP_KEY_FILE: told.app.keyFile }),
    }),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      await exit
    },
  }
}

async function ask<T>(url: string, name: string, args: readonly unknown[]): Promise<T> {
  const answer = await fetch(`${url}/stand-in/${name}`, { method: 'POST', body: JSON.stringify(args) })
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}
