import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { appendFile, chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { putFreshCluster } from './postgres-template.ts'

/** Debian keeps the programs of each version apart; elsewhere they are on the PATH. */
const folders = ['/usr/lib/postgresql']
  .filter((root) => existsSync(root))
  .flatMap((root) => readdirSync(root).map((version) => join(root, version, 'bin')))
  .toSorted()
  .concat((process.env['PATH'] ?? '').split(delimiter))
const programs = folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
/** PostgreSQL refuses to run as root: Debian's package brings this user. */
const owner = process.getuid?.() === 0 ? 'postgres' : undefined

/** For `need(…)`: what is missing to start a PostgreSQL here. */
export const postgresMissing = programs === undefined ? 'PostgreSQL (initdb and postgres)' : undefined

export type Postgres = AsyncDisposable & {
  port: number
  /** A new, empty database, or a copy of another one that nobody is connected to. */
  createDatabase(from?: string): Promise<{ name: string; url: string }>
  urlOf(database: string, user?: string): string
  /** As its owner, in the database `postgres`. */
  ask(sql: string): Promise<Record<string, unknown>[]>
  start(): Promise<void>
  /** `fast` ends every connection in order; `immediate` is what a crash looks like. */
  stop(how: 'fast' | 'immediate'): Promise<void>
}

/**
 * A private cluster with a port and a folder of its own. Everything is as it comes but that its making is not synced.
 * `under`: a program and its arguments that start it, such as `env`.
 */
export async function startPostgres(
  settings: Record<string, string> = {},
  under: readonly string[] = [],
): Promise<Postgres> {
  if (programs === undefined) throw new Error(`there is no ${postgresMissing}`)
  const folder = await mkdtemp(join(tmpdir(), 'overnight-postgres-'))
  const data = join(folder, 'data')
  const port = await freePort()
  const state = { server: undefined as ChildProcess | undefined, databases: 0 }
  if (owner) execFileSync('chown', [owner, folder])
  await chmod(folder, 0o755)
  await putFreshCluster(data, join(programs, 'initdb'), { argv: asPostgres, owner })
  const lines = Object.entries({ ...small, ...settings }).map(([name, value]) => `${name} = '${value}'\n`)
  await appendFile(join(data, 'postgresql.conf'), lines.join(''))

  const server = (): ChildProcess => {
    if (state.server === undefined) throw new Error('the PostgreSQL of this test is not running')
    return state.server
  }
  const urlOf = (database: string, user = 'overnight') => `postgres://${user}@127.0.0.1:${port}/${database}`
  async function ask(sql: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: urlOf('postgres') })
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows
    } finally {
      await client.end()
    }
  }
  async function start(): Promise<void> {
    const argv = ['-D', data, '-p', String(port), '-k', folder, '-h', '127.0.0.1']
    const [program, ...rest] = [...under, join(programs!, 'postgres'), ...argv] as [string, ...string[]]
    const started = spawn(...asPostgres(program, rest), {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    state.server = started
    await untilReady(started)
  }
  async function stop(how: 'fast' | 'immediate'): Promise<void> {
    const ending = server()
    state.server = undefined
    if (ending.exitCode !== null) return
    const ended = once(ending, 'exit')
    ending.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await ended
  }
  await start()
  return {
    port,
    urlOf,
    ask,
    start,
    stop,
    async createDatabase(from = 'template1') {
      const name = `test_${process.pid}_${++state.databases}`
      await ask(`create database ${name} template ${from}`)
      return { name, url: urlOf(name) }
    },
    async [Symbol.asyncDispose]() {
      if (state.server) await stop('immediate')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What several of them at a time on a small machine need. */
const small = { shared_buffers: '16MB', max_connections: '200', log_min_messages: 'log', jit: 'off' }

function asPostgres(program: string, argv: string[]): [string, string[]] {
  if (!owner) return [program, argv]
  // A test that is killed takes its server with it (SIGINT is a shutdown in order).
  const who = [`--reuid=${owner}`, `--regid=${owner}`, '--init-groups', '--pdeathsig=INT']
  return ['setpriv', [...who, '--', program, ...argv]]
}

/** It says so on stderr. */
async function untilReady(server: ChildProcess): Promise<void> {
  const said: string[] = []
  const ready = Promise.withResolvers<void>()
  server.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said.push(text)
    if (said.join('').includes('ready to accept connections')) ready.resolve()
  })
  server.once('exit', () => ready.reject(new Error(`PostgreSQL did not start: ${said.join('')}`)))
  await ready.promise
}
