import type { IncomingMessage, ServerResponse } from 'node:http'
import { Transform, type Readable, type Writable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { shown } from './egress/authority.ts'
import type { Journal } from './journal.ts'
import { bringsToken } from './token.ts'

export type RepositoryOptions = {
  /** Its addresses: git that is given one of them is led here. */
  urls: readonly string[]
  /** Answers git's `upload-pack`: the branches without `input`, else what it asks for. */
  serve(fetch: {
    input: Readable | undefined
    output: Writable
    protocol: string | undefined
    signal: AbortSignal
  }): Promise<void>
}

/** Under it git finds the repository of the run, with or without `.git` behind it. */
export const repositoryPath = '/git/repository'
/** What a fetch of a hundred thousand branches says. */
const mostAsked = 16 * 1024 * 1024
/** Each takes a processor for as long as it packs. */
const mostAtOnce = 2
const longestMs = 10 * 60_000

type Service = { kind: 'branches' | 'objects' } | { status: number; why: string }
type Way = { token: string; repository: RepositoryOptions; journal: Pick<Journal, 'refused'> }

/** The repository of the run as git fetches it (gitprotocol-http(5)). Nothing is ever written to it. */
export function createRepository({ token, repository, journal }: Way) {
  const closing = new AbortController()
  const open = new Set<Promise<void>>()

  async function serve(
    kind: 'branches' | 'objects',
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const protocol = /^version=[012]$/.exec(String(request.headers['git-protocol'] ?? ''))?.[0]
    const name = kind === 'branches' ? 'advertisement' : 'result'
    response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${name}`, 'cache-control': 'no-cache' })
    // Only the newest form of the answer begins without saying what it answers.
    if (kind === 'branches' && protocol !== 'version=2') response.write('001e# service=git-upload-pack\n0000')
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const signal = AbortSignal.any([closing.signal, gone.signal, AbortSignal.timeout(longestMs)])
    const input = kind === 'objects' ? askedIn(request) : undefined
    await repository.serve({ input, output: response, protocol, signal }).catch(() => response.destroy())
  }

  return {
    async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const service = bringsToken(request.headers, token) ? serviceOf(request) : stranger
      const elsewhere = 'why' in service && service.status === 404 && elsewhereOf(request.url ?? '', repository.urls)
      if (elsewhere) return void response.writeHead(307, { location: elsewhere, 'content-length': 0 }).end()
      if ('why' in service) {
        journal.refused(...toldOf(service, request.url ?? ''))
        return refuse(response, service)
      }
      if (open.size >= mostAtOnce) return refuse(response, { status: 503, why: 'too many fetches at once' })
      const served = serve(service.kind, request, response)
      open.add(served)
      await served.finally(() => open.delete(served))
    },
    async close(): Promise<void> {
      closing.abort()
      await Promise.allSettled(open)
    },
  }
}

const stranger = { status: 403, why: 'this is not the credential of this run' }
const push = {
  status: 403,
  why: 'nothing is pushed from here: leave the change in the checkout, it is published from there',
}

/** What it was, and why not, for the timeline. */
function toldOf({ status, why }: { status: number; why: string }, url: string): [what: string, why: string] {
  if (why === push.why) return ['a push', 'is not for agents: the change is published from the checkout']
  if (why === stranger.why) return ['a fetch', 'brings the credential of another run']
  return [shown(url.split('?')[0] ?? ''), status === 404 ? 'is not the repository of this run' : `was answered: ${why}`]
}

function serviceOf({ method = '', url = '' }: IncomingMessage): Service {
  const { pathname, searchParams } = new URL(url, 'http://inside')
  const [, what] = /^\/git\/repository(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(pathname) ?? []
  const asked = what === 'info/refs' ? searchParams.get('service') : what
  if (asked === 'git-receive-pack') return push
  if (asked !== 'git-upload-pack') return { status: 404, why: 'only the repository of this run is behind this address' }
  if (what === 'info/refs')
    return method === 'GET' ? { kind: 'branches' } : { status: 405, why: 'only GET is answered here' }
  return method === 'POST' ? { kind: 'objects' } : { status: 405, why: 'only POST is answered here' }
}

/**
 * git replaces the beginning of an address, so that of `acme/shop-docs` is led here where the run's is `acme/shop`. It is sent on to
 * where it was going, which the network of the run lets through or not; git takes no credential of ours along.
 */
function elsewhereOf(url: string, urls: readonly string[]): string | undefined {
  const rest = url.slice(repositoryPath.length)
  const base = urls.find((one) => one.startsWith('https://'))
  const isLonger = url.startsWith(repositoryPath) && /^[A-Za-z0-9._-]+\/info\/refs(\?|$)/.test(rest)
  return base !== undefined && isLonger && !rest.startsWith('.git/') ? base + rest : undefined
}

/** git prints what is plain text. */
function refuse(response: ServerResponse, { status, why }: { status: number; why: string }): void {
  const body = `overnight: ${why}\n`
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  })
  response.end(body)
}

/** What git says it lacks, unpacked; cut off with an error where no honest one goes on. */
function askedIn(request: IncomingMessage): Readable {
  let bytes = 0
  const capped = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      done(bytes > mostAsked ? new Error('too long') : null, chunk)
    },
  })
  const isPacked = /^(x-)?gzip$/.test(request.headers['content-encoding'] ?? '')
  const plain = isPacked ? request.pipe(createGunzip()) : request
  for (const part of new Set<Readable>([request, plain])) part.on('error', (error) => capped.destroy(error))
  request.on('close', () => (request.complete ? undefined : capped.destroy(new Error('broken off'))))
  return plain.pipe(capped)
}
