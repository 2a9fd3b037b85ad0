import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StepFailed } from '../errors.ts'
import { bringsToken, secretOf, type Upstream } from './credential.ts'
import { readRequest, type BodyRoom } from './read-request.ts'
import { refuse, type Refusal } from './refusal.ts'
import { openUpstream } from './upstream.ts'
import type { UsageReport } from './usage.ts'

/**
 * The way from one run to its model: a unix socket, and a token that opens nothing else. The real credential is added here, in
 * this process; no sandbox ever holds it. Disposing ends every connection and removes the socket.
 */
export type ModelRelay = AsyncDisposable & { socket: string; token: string }

export type ModelRelayOptions = {
  /** Names the folder of the socket, so that what a killed service leaves can be told and removed. */
  run: string
  upstream: Upstream
  /** Called at the end of every answer that told its usage, an interrupted one too. */
  onUsage(report: UsageReport): void
  /** How long a connection may take, and how long the model may be silent in the middle of a request. */
  connectMs?: number
  silentMs?: number
}

/** A client of one agent and its helpers needs a handful. */
const maxConnections = 64
const inferencePaths: readonly string[] = ['/v1/messages', '/v1/messages/count_tokens']
/** sun_path holds 108 bytes with its end, and the names in here need 40. */
const longestTmp = 60

/** Throws StepFailed('model_sign_in') when no credential is configured. */
export async function openModelRelay(options: ModelRelayOptions): Promise<ModelRelay> {
  if (secretOf(options.upstream) === undefined) {
    throw new StepFailed('model_sign_in', 'there is no key for the model', {
      hint: 'set ANTHROPIC_API_KEY, or CLAUDE_CODE_OAUTH_TOKEN (`claude setup-token` makes one), and start the service again',
    })
  }
  const token = `overnight-run-${randomBytes(32).toString('hex')}`
  const upstream = openUpstream(options)
  const room: BodyRoom = { bytes: 0 }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = refusalOf(request, token)
    if (refusal === 'alive') return void response.writeHead(200, { 'content-length': 0 }).end()
    if (refusal) return refuse(response, refusal)
    const body = await readRequest(request, room)
    if ('status' in body) return refuse(response, body)
    try {
      await upstream.ask({ request, response, body: body.text })
    } finally {
      body.release()
    }
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => refuse(response, { status: 502, message: 'the request broke off' }))
  })
  server.maxConnections = maxConnections
  // A client that thinks between two requests finds its connection as it left it.
  server.keepAliveTimeout = 10 * 60_000
  const root = tmpdir().length <= longestTmp ? tmpdir() : '/tmp'
  const folder = await mkdtemp(join(root, `overnight-run.${options.run.slice(0, 36)}.relay`))
  const socket = join(folder, 'model')
  server.listen(socket)
  await once(server, 'listening')

  return {
    socket,
    token,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      upstream.close()
      await closed
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What is not for the model, decided by the first line and the token; `alive` is a client that asks whether anybody is there. */
function refusalOf({ method = '', url = '', headers }: IncomingMessage, token: string): Refusal | 'alive' | undefined {
  const path = url.split('?')[0] ?? ''
  if (path === '/' && (method === 'HEAD' || method === 'GET')) return 'alive'
  if (!bringsToken(headers, token)) return { status: 401, message: 'this is not the token of this run' }
  if (!inferencePaths.includes(path)) return { status: 404, message: 'only the model is behind this address' }
  return method === 'POST' ? undefined : { status: 405, message: 'only POST is answered here' }
}
