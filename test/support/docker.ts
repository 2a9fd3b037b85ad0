import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { delimiter, dirname, join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'

const root = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

export type Docker = AsyncDisposable & {
  /** For every program that speaks to this daemon and no other. */
  env: Record<string, string>
  /** stdout of `docker …`, without the last line end. */
  docker(...args: string[]): Promise<string>
  /** Where it keeps images and containers. */
  data: string
  /** Ends the daemon as a crash of it would; containers live on. */
  crash(): Promise<void>
  /** Starts it again, on what it had. */
  restart(): Promise<void>
  /** Makes a published port reachable under the same address here. */
  reach(port: number): Promise<AsyncDisposable>
}

/**
 * A daemon with a socket, a folder and a network namespace of its own: bridges and firewall of the machine are left as
 * they are, and those of another Docker there do not count. Or why there is none.
 */
export async function startDocker(): Promise<Docker | { missing: string }> {
  const programs = ['dockerd', 'docker', 'docker-compose', 'debootstrap', 'ip'].filter((name) => !isProgram(name))
  if (programs.length > 0) return { missing: programs.join(', ') }
  if (process.getuid?.() !== 0) return { missing: 'root, for a Docker daemon of its own' }
  // Not below /tmp, which may be in memory: images are hundreds of megabytes.
  const folder = await mkdtemp('/var/tmp/overnight-docker-')
  const socket = `unix://${join(folder, 'docker.sock')}`
  const argv = [
    ['--host', socket, '--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
    ['--pidfile', join(folder, 'pid'), '--bridge', 'none', '--iptables=false', '--ip6tables=false'],
    ['--default-address-pool', 'base=10.213.0.0/16,size=24'],
  ].flat()
  const within = ['--net', '--', 'sh', '-c', 'ip link set lo up && exec dockerd "$@"', 'sh', ...argv]
  // A file of which no test is run opens one and never ends it.
  const launcher = ['--pdeathsig', 'TERM', 'unshare', ...within]
  const launch = () => spawn('setpriv', launcher, { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder })
  let daemon = launch()
  const env = {
    // The Node of the image is the one in use here.
    PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
    HOME: folder,
    DOCKER_HOST: socket,
    // Debian's Docker comes without the builder that is the default elsewhere.
    DOCKER_BUILDKIT: '0',
    COMPOSE_DOCKER_CLI_BUILD: '0',
  }
  const said = await untilReady(daemon)
  if (said !== undefined) {
    await remove(folder)
    return { missing: `a Docker daemon, which does not start here: ${said}` }
  }
  return {
    env,
    docker: async (...args) => (await run('docker', args, { env, cwd: root, maxBuffer: 1 << 26 })).stdout.trimEnd(),
    data: join(folder, 'data'),
    async crash() {
      const ended = once(daemon, 'exit')
      daemon.kill('SIGKILL')
      await ended
      const containerd = join(folder, 'exec/containerd/containerd.pid')
      process.kill(Number(readFileSync(containerd, 'utf8')), 'SIGKILL')
      // Where nobody collects it, it looks alive.
      await rm(containerd)
    },
    async restart() {
      daemon = launch()
      const said = await untilReady(daemon)
      if (said !== undefined) throw new Error(`the Docker daemon does not start again: ${said}`)
    },
    reach: (port) => reachInside(daemon.pid!, { port, socket: join(folder, `${port}.sock`) }),
    async [Symbol.asyncDispose]() {
      if (daemon.exitCode === null && daemon.signalCode === null) {
        const ended = once(daemon, 'exit')
        daemon.kill('SIGTERM')
        await ended
      }
      await remove(folder)
    },
  }
}

function isProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** undefined = it listens; else what it said last. */
async function untilReady(daemon: ChildProcess): Promise<string | undefined> {
  const ready = Promise.withResolvers<string | undefined>()
  let said = ''
  daemon.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-20_000)
    if (said.includes('API listen on')) ready.resolve(undefined)
  })
  daemon.once('error', (error) => ready.resolve(error.message))
  daemon.once('exit', () => ready.resolve(said.trimEnd().split('\n').at(-1)))
  return ready.promise
}

/** One process in the namespace that connects to the port, and one listener here that connects to the process. */
async function reachInside(pid: number, { port, socket }: { port: number; socket: string }): Promise<AsyncDisposable> {
  const script = `const net = require('net'); const [, socket, port] = process.argv
    net.createServer((here) => {
      const there = net.connect(Number(port), '127.0.0.1')
      for (const end of [here, there]) end.on('error', () => { here.destroy(); there.destroy() })
      here.pipe(there).pipe(here)
    }).listen(socket, () => console.log('ready'))`
  const within = [`--net=/proc/${pid}/ns/net`, '--', process.execPath, '-e', script, socket, String(port)]
  const relay = spawn('nsenter', within, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(relay.stdout, 'data')
  const listener = createServer((here) => {
    const there = connect(socket)
    for (const end of [here, there]) {
      end.on('error', () => {
        here.destroy()
        there.destroy()
      })
    }
    here.pipe(there).pipe(here)
  }).listen(port, '127.0.0.1')
  await once(listener, 'listening')
  return {
    async [Symbol.asyncDispose]() {
      listener.close()
      const ended = once(relay, 'exit')
      relay.kill('SIGKILL')
      await ended
    },
  }
}

/** A daemon that was ended leaves mounts behind now and then. */
async function remove(folder: string): Promise<void> {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(folder))
  for (const path of mounts.toReversed()) await run('umount', ['--lazy', path]).catch(() => {})
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}

export type Stack = AsyncDisposable & {
  url: string
  /** `docker-compose …` on this stack; stdout. */
  compose(...args: string[]): Promise<string>
  fetch(path: string, init?: RequestInit): Promise<Response>
  get<T>(path: string): Promise<T>
  post<T>(path: string, body?: unknown): Promise<T>
}

type StackOptions = { port: number; routines: string; webhooks: string; env?: Record<string, string> }

/** Builds and starts what docker-compose.yml says, on images made without a registry. Resolves when the server answers. */
export async function startStack(docker: Docker, { port, routines, webhooks, env = {} }: StackOptions): Promise<Stack> {
  const all = {
    ...docker.env,
    COMPOSE_PROJECT_NAME: 'overnight-test',
    OVERNIGHT_PORT: String(port),
    OVERNIGHT_ROUTINES: routines,
    OVERNIGHT_WEBHOOKS: webhooks,
    ...env,
  }
  const files = ['--file', 'docker-compose.yml', '--file', 'infra/ci/docker-compose.yml']
  const compose = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('docker-compose', [...files, ...args], { env: all, cwd: root, maxBuffer: 1 << 26 })
    return stdout.trimEnd()
  }
  await run(join(root, 'infra/ci/base'), [cache], { env: docker.env, maxBuffer: 1 << 26 })
  await compose('build', '--quiet')
  await compose('up', '--detach')
  const reached = await docker.reach(port)
  const url = `http://127.0.0.1:${port}`
  const isUp = async () => (await fetch(`${url}/health`).catch(() => undefined))?.ok === true
  for (const deadline = performance.now() + 60_000; !(await isUp()); await wait(200)) {
    if (performance.now() > deadline)
      throw new Error(`the stack did not come up:\n${await compose('logs', '--no-color')}`)
  }
  const token = await compose('exec', '-T', 'server', 'cat', '/data/token')
  const request = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, url), {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'overnight-client': 'cli', 'content-type': 'application/json' },
    })
  const json = async <T>(answer: Response): Promise<T> => {
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${answer.status} ${text}`)
    return JSON.parse(text) as T
  }
  return {
    url,
    compose,
    fetch: request,
    get: async (path) => json(await request(path)),
    post: async (path, body) => json(await request(path, { method: 'POST', body: JSON.stringify(body ?? {}) })),
    async [Symbol.asyncDispose]() {
      await reached[Symbol.asyncDispose]()
      await compose('down', '--volumes', '--timeout', '10')
    },
  }
}

/** Debian's part of the image takes a minute to make, so it outlives the test. */
export const cache = process.env['OVERNIGHT_TEST_CACHE'] ?? '/var/cache/overnight-tests'
