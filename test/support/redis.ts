import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from './free-port.ts'

export type RedisKind = 'redis' | 'valkey'

/** For `need(…)`: what is missing to start such a server here. */
export function redisMissing(kind: RedisKind): string | undefined {
  try {
    execFileSync(`${kind}-server`, ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return `${kind}-server`
  }
}

export type RedisServer = AsyncDisposable & {
  url: string
  /** As the operator at the command line of the server. */
  ask(command: string, ...words: (string | number)[]): Promise<unknown>
  start(): Promise<void>
  /** SIGTERM saves and ends in order; SIGKILL is what a crash looks like; both leave the append-only file. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** SIGSTOP: connections stay open and nothing is answered. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
}

export type RedisSetting = {
  kind?: RedisKind
  /** Lines of redis.conf that win over those a queue wants. */
  settings?: Record<string, string | number>
  /** Files of a key and its certificate: it speaks TLS alone. */
  tls?: { key: string; cert: string }
  /** Not started yet: its address is known, and nobody is there. */
  stopped?: boolean
}

/** A private server with a port and a folder of its own, set up as a queue wants it. */
export async function startRedis({
  kind = 'redis',
  settings = {},
  tls,
  stopped,
}: RedisSetting = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-redis-'))
  const port = await freePort()
  const all = { bind: '127.0.0.1', port, dir: folder, appendonly: 'yes', 'maxmemory-policy': 'noeviction', ...settings }
  if (tls) Object.assign(all, tlsSettings(port, tls))
  const argv = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)])
  const password = settings['requirepass']
  const url = `redis${tls ? 's' : ''}://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`
  const state = { server: undefined as ChildProcess | undefined }

  async function start(): Promise<void> {
    const server = spawn(`${kind}-server`, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    state.server = server
    await untilSaid(server, 'Ready to accept connections')
  }
  async function stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const server = state.server
    state.server = undefined
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill(signal)
    await ended
  }
  if (!stopped) await start()
  return {
    url,
    async ask(command, ...words) {
      const client = new Redis(url, { maxRetriesPerRequest: 0, lazyConnect: true })
      client.on('error', () => {})
      try {
        await client.connect()
        return await client.call(command, ...words)
      } finally {
        client.disconnect()
      }
    },
    start,
    stop,
    signal: (signal) => void state.server?.kill(signal),
    async [Symbol.asyncDispose]() {
      await stop('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const tlsSettings = (port: number, { key, cert }: { key: string; cert: string }) => ({
  port: 0,
  'tls-port': port,
  'tls-key-file': key,
  'tls-cert-file': cert,
  'tls-auth-clients': 'no',
})

async function untilSaid(server: ChildProcess, text: string): Promise<void> {
  const ready = Promise.withResolvers<void>()
  let said = ''
  server.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    said = (said + chunk).slice(-10_000)
    if (said.includes(text)) ready.resolve()
  })
  server.once('exit', () => ready.reject(new Error(`the server ended before it was ready:\n${said}`)))
  await ready.promise
}
