import { Redis } from 'ioredis'
import { messageOf } from '../errors.ts'

export type RedisSafety = {
  /** As people say it: `Redis 7.0.15`. */
  version: string
  /** What loses or refuses jobs; each one is a sentence with what to do. */
  warnings: string[]
  /** What only costs time: the ledger hands out again what is lost. */
  notes: string[]
}

/** Asks a server once whether it is fit for the queue. Never rejects, and never tells the password. */
export async function probeRedis(url: string): Promise<RedisSafety | { unreachable: string }> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5000,
    commandTimeout: 5000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  // `connect` says only that the connection is closed; the reason comes this way.
  const reason: { error?: Error } = {}
  client.on('error', (error: Error) => (reason.error = error))
  try {
    await client.connect()
    return await askSafety(client)
  } catch (error) {
    return { unreachable: `${addressOf(url)}: ${messageOf(reason.error ?? error)}` }
  } finally {
    client.disconnect()
  }
}

async function askSafety(client: Redis): Promise<RedisSafety> {
  try {
    return readSafety(await client.info())
  } catch (error) {
    await client.ping()
    const warning = `its settings cannot be read (${messageOf(error)}): see to it that maxmemory-policy is noeviction`
    return { version: 'of unknown version', warnings: [warning], notes: [] }
  }
}

/** What the server's own INFO says; a managed one refuses CONFIG, and INFO never. */
export function readSafety(info: string): RedisSafety {
  const says = Object.fromEntries(info.split(/\r?\n/).map((line) => line.split(/:(.*)/s).slice(0, 2)))
  const name = 'valkey_version' in says ? 'Valkey' : 'Redis'
  const number = says['valkey_version'] ?? says['redis_version'] ?? '?'
  const warnings = [
    tooOld(says['redis_version'] ?? '0') && `version ${number} is too old: use Redis 6.2 or newer, or Valkey`,
    says['maxmemory_policy'] !== 'noeviction' &&
      `maxmemory-policy is ${says['maxmemory_policy'] ?? 'unknown'}: jobs vanish when its memory is full; set noeviction`,
    says['role'] === 'slave' && 'it is a replica, which refuses every job: give the address of the primary',
    says['cluster_enabled'] === '1' &&
      'it is one node of a cluster: give the address of a single server, or of a proxy that hides the cluster',
  ]
  const notes = [
    says['aof_enabled'] === '0' &&
      'it has no append-only file: after its restart, runs that waited start up to a minute later (appendonly yes)',
  ]
  const isSaid = (text: string | false): text is string => text !== false
  return { version: `${name} ${number}`, warnings: warnings.filter(isSaid), notes: notes.filter(isSaid) }
}

function tooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < 6 || (major === 6 && minor < 2)
}

/** An address for people: without user and password. */
export function addressOf(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url)
  return `${protocol}//${hostname || '127.0.0.1'}:${port || 6379}${pathname === '/' ? '' : pathname}`
}
