import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
import { createLedger, type Ledger } from '../../src/ledger/ledger.ts'
import { migrate } from '../../src/ledger/migrate.ts'
import { openStore, type Store } from '../../src/ledger/store.ts'
import { codeCache } from './code-cache.ts'
import { createRepository, openFolder } from './git-repository.ts'
import { putFreshLedger } from './ledger-template.ts'
import { startService, type ServiceProcess, type StartOptions } from './service-process.ts'

const root = resolve(import.meta.dirname, '../..')

export type RoutineOptions = {
  /** JavaScript that node runs in the checkout, as the agent. `args` are its process.argv from 1 on. */
  program?: string
  args?: readonly string[]
  /** More front matter; wins over what is written by default. Flow values are JSON. */
  more?: Record<string, unknown>
  prompt?: string
}
export type Ended = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }
export type Place = Disposable & {
  folder: string
  data: string
  routines: string
  repository: string
  env: Record<string, string>
  /** Writes a routine file; answers its path. */
  routine(name: string, options?: RoutineOptions): string
  start(options?: Partial<StartOptions>): Promise<ServiceProcess>
  /** A command line as a person types it, in this process: only starting a process of its own is left out. */
  overnight(args: readonly string[], options?: CommandOptions): Promise<Ended>
  /** A command line in a process of its own. */
  spawn(args: readonly string[], options?: CommandOptions & { uid?: number }): Running
  /** Looks into the ledger while no service has it. */
  withLedger<T>(act: (ledger: Ledger, store: Store) => Promise<T>): Promise<T>
}
type CommandOptions = { env?: Record<string, string>; signal?: AbortSignal; input?: string }
type Running = {
  pid: number
  ended: Promise<Ended>
  stdout(): string
  stderr(): string
  kill(signal: NodeJS.Signals): void
}

/** A repository, a folder of routines and a data folder of a person's own; gone after the test. */
export async function openPlace(options: { data?: string } = {}): Promise<Place> {
  const folder = openFolder()
  const [routines, repository] = [join(folder.path, 'routines'), join(folder.path, 'Müllers shop')]
  const data = join(folder.path, options.data ?? 'data')
  mkdirSync(routines)
  mkdirSync(data, { recursive: true, mode: 0o700 })
  createRepository(repository, { 'README.md': '# Shop\n' })
  await putFreshLedger(join(data, 'ledger'))
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder.path,
    OVERNIGHT_DATA: data,
    OVERNIGHT_ROUTINES: routines,
    OVERNIGHT_PORT: '0',
  }
  const place: Place = {
    folder: folder.path,
    data,
    routines,
    repository,
    env,
    routine(name, what = {}) {
      const file = join(routines, `${name}.md`)
      writeFileSync(file, routineText({ repository, ...what }))
      return file
    },
    start: (more = {}) => startService({ data, routines, ...more }),
    overnight: (args, more = {}) => runHere(args, { cwd: folder.path, ...more, env: { ...env, ...more.env } }),
    spawn: (args, more = {}) => spawnCommand(args, { cwd: folder.path, ...more, env: { ...env, ...more.env } }),
    async withLedger(act) {
      const store = await openStore({ ledger: join(data, 'ledger') })
      try {
        await migrate(store)
        return await act(createLedger(store), store)
      } finally {
        await store.close()
      }
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
  return place
}

/** An agent that adds a file named after the day's work, which is something new in each repository once. */
export const writesNote = `require('fs').writeFileSync('note.md', 'written\\n'); console.log('Wrote the note that was missing')`

export function routineText({
  repository,
  program = writesNote,
  args = [],
  more = {},
  prompt = '',
}: RoutineOptions & { repository: string }): string {
  const keys = {
    description: 'Writes a note',
    repository,
    sandbox: 'process',
    engine: { name: 'command', command: ['node', '-e', program, ...args] },
    ...more,
    // The programs of tests do nothing that an event tells them.
    allow_trifecta: true,
  }
  const lines = Object.entries(keys)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
  return `---\n${lines.join('')}---\n${prompt}\n`
}

type Here = { cwd: string; env: Record<string, string>; signal?: AbortSignal; input?: string }

async function runHere(args: readonly string[], { cwd, env, signal, input = '' }: Here): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  const code = await runCli(args, {
    env,
    cwd,
    out: (text) => void (said.stdout += text),
    err: (text) => void (said.stderr += text),
    isTerminal: false,
    input: async () => input,
    onSignal: (stop) => signal?.addEventListener('abort', stop),
  })
  return { ...said, code, signal: null }
}

function spawnCommand(
  args: readonly string[],
  options: { cwd: string; env: Record<string, string>; uid?: number },
): Running {
  const child = spawn(process.execPath, [join(root, 'src/main.ts'), ...args], {
    ...options,
    env: { ...codeCache, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said.stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said.stderr += chunk))
  return {
    pid: child.pid!,
    ended: once(child, 'close').then(() => ({ ...said, code: child.exitCode, signal: child.signalCode })),
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    kill: (signal) => void child.kill(signal),
  }
}
