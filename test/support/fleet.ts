import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { codeCache } from './code-cache.ts'
import { openFolder } from './git-repository.ts'
import { startGitHub, type GitHubProcess } from './github/process.ts'
import { routineText, type RoutineOptions } from './place.ts'
import { postgresMissing, startPostgres, type Postgres } from './postgres.ts'
import { redisMissing, startRedis, type RedisServer } from './redis.ts'
import { startService, type ServiceProcess } from './service-process.ts'

const root = resolve(import.meta.dirname, '../..')
const crashingWorker = join(root, 'test/faults/crashing-worker.ts')

/** For `need(…)`: what is missing to start a fleet here. */
export const fleetMissing = postgresMissing ?? redisMissing('redis')

export type WorkerProcess = {
  pid: number
  log(): string
  exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  isOver(): boolean
  kill(signal: NodeJS.Signals): void
  /** Resolves when its log has a line that matches. */
  said(pattern: RegExp): Promise<void>
}
export type Fleet = AsyncDisposable & {
  data: string
  /** What all its processes are given; a command line, too. */
  env: Record<string, string>
  postgres: Postgres
  redis: RedisServer
  github: GitHubProcess
  server: ServiceProcess
  /** One more server on the same ledger and data. */
  another(): Promise<ServiceProcess>
  routine(name: string, options: RoutineOptions & { repository: string }): void
  /** `at`: what this worker does to itself when a run reaches a step. */
  worker(at?: { crash?: string; stop?: string }): Promise<WorkerProcess>
}

/** A server on PostgreSQL, Redis and GitHub's stand-in, each a process of its own; workers are started by name. */
export async function openFleet(options: {
  repositories: readonly string[]
  env?: Record<string, string>
}): Promise<Fleet> {
  await using building = new AsyncDisposableStack()
  const folder = openFolder()
  building.defer(() => folder[Symbol.dispose]())
  const [data, routines] = [join(folder.path, 'data'), join(folder.path, 'routines')]
  for (const path of [data, routines]) mkdirSync(path, { mode: 0o700 })
  const postgres = building.use(await startPostgres())
  const redis = building.use(await startRedis())
  const github = building.use(await startGitHub(join(folder.path, 'github'), options.repositories))
  const { url: databaseUrl } = await postgres.createDatabase()
  const env = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    ...github.env('app'),
    OVERNIGHT_CONCURRENCY: '2',
    OVERNIGHT_LEASE_SECONDS: '2',
    OVERNIGHT_LOG: 'info',
    ...options.env,
  }
  const startServer = () => startService({ data, routines, env, argv: ['server'] })
  const server = building.use(await startServer())
  const workers: WorkerProcess[] = []
  building.defer(async () => {
    for (const worker of workers.filter((worker) => !worker.isOver())) {
      worker.kill('SIGCONT')
      worker.kill('SIGTERM')
      await worker.exit
    }
  })
  const stack = building.move()
  return {
    data,
    env: { PATH: process.env['PATH'] ?? '', HOME: data, OVERNIGHT_DATA: data, OVERNIGHT_ROUTINES: routines, ...env },
    postgres,
    redis,
    github,
    server,
    another: async () => stack.use(await startServer()),
    routine: (name, what) => writeFileSync(join(routines, `${name}.md`), routineText(what)),
    async worker({ crash = '', stop = '' } = {}) {
      const place = {
        ...codeCache,
        PATH: process.env['PATH'] ?? '',
        HOME: data,
        OVERNIGHT_DATA: data,
        OVERNIGHT_ROUTINES: routines,
      }
      const worker = await startWorker({
        ...place,
        OVERNIGHT_DRAIN_SECONDS: '20',
        ...env,
        CRASH_AT: crash,
        STOP_AT: stop,
      })
      workers.push(worker)
      return worker
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function startWorker(env: Record<string, string>): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [crashingWorker], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const { log, said } = listen(child)
  const exit = once(child, 'exit').then(() => ({ code: child.exitCode, signal: child.signalCode }))
  await Promise.race([
    said(/takes runs here/),
    exit.then(({ code, signal }) => Promise.reject(new Error(`the worker ended with ${code ?? signal}:\n${log()}`))),
  ])
  return {
    pid: child.pid!,
    log,
    said,
    exit,
    isOver: () => child.exitCode !== null || child.signalCode !== null,
    kill: (signal) => void child.kill(signal),
  }
}

/** Everything a process says on either stream, and a way to wait for it. */
function listen(child: ChildProcess) {
  let text = ''
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      for (const look of waiting) look()
    })
  }
  return {
    log: () => text,
    said: (pattern: RegExp) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!pattern.test(text)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}
