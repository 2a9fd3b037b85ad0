import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { StepFailed } from '../errors.ts'
import type { Dial } from '../outgoing/dial.ts'
import { runFolderPrefix, socketRoot } from '../run-folder.ts'
import { shown, type Hosts } from './egress/authority.ts'
import { createEgress, type EgressOptions } from './egress/egress.ts'
import { gitEnvironment, proxyEnvironment, tellConnectors, type ConnectorsTold } from './environment.ts'
import { createJournal, type Journal } from './journal.ts'
import { createConnectors, type ConnectorOptions } from './mcp/connectors.ts'
import { createModel, type ModelOptions } from './model.ts'
import { refuse } from './refusal.ts'
import { createRepository, type RepositoryOptions } from './repository.ts'
import { newRunToken } from './token.ts'

/**
 * The only way out of one run: a unix socket, and a credential that opens nothing else and ends with it. Behind it are the model,
 * the run's own repository, its connectors, and the hosts of the routine. Disposing ends every connection and removes the socket.
 */
export type Relay = AsyncDisposable & {
  socket: string
  token: string
  /** Fires, with StepFailed('relay_lost') as its reason, when the way is gone before it was closed. */
  lost: AbortSignal
  /** Where programs that find it at this address find the connectors of the run; undefined = it has none. */
  connectors(address: string): ConnectorsTold | undefined
  /** What leads programs to it that find it at this address. Without walls nothing has to be led: the network is not limited there. */
  environment(at: { address: string; isWalled: boolean }): Record<string, string>
}

export type RelayOptions = {
  /** Names the folder of the socket, so that what a killed service leaves can be told and removed. */
  run: string
  model?: ModelOptions | undefined
  repository?: RepositoryOptions | undefined
  connectors?: ConnectorOptions | undefined
  hosts: Hosts
  dial: Dial
  /** A line for the timeline of the run. Must not throw. */
  tell(text: string): void
  bounds?: EgressOptions['bounds']
  /** What listens; tests keep it to break it. */
  createServer?: () => Server
}

/** A client of one agent and its helpers needs a handful; a package manager some fifty. */
const maxConnections = 256

/** Throws StepFailed('model_sign_in') when there is to be a model and no credential is configured. */
export async function openRelay(options: RelayOptions): Promise<Relay> {
  const token = newRunToken()
  const journal = createJournal(options.tell)
  const { hosts, dial, bounds = {} } = options
  const model = options.model && createModel(options.model, { token, journal })
  const { repository } = options
  const git = repository && createRepository({ token, repository, journal })
  const connectors =
    options.connectors && createConnectors({ token, connectors: options.connectors, journal, tell: options.tell })
  const egress = createEgress({ token, hosts, dial, journal, bounds })

  function behindPath(url: string) {
    if (git && url.startsWith('/git/')) return git
    return connectors && url.startsWith('/mcp/') ? connectors : model
  }
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request
    if (/^[a-z][a-z0-9+.-]*:/i.test(url)) return refusePlain(url, response, journal)
    // A client that asks whether anybody is there.
    if (/^\/(\?|$)/.test(url) && (method === 'HEAD' || method === 'GET'))
      return void response.writeHead(200, { 'content-length': 0 }).end()
    const behind = behindPath(url)
    if (behind) return behind.answer(request, response)
    journal.refused(shown(url.split('?')[0] ?? ''), 'is nothing that this run has')
    refuse(response, { status: 404, message: 'nothing is behind this address' })
  }
  const server = (options.createServer ?? createServer)()
  server.on('request', (request, response) => {
    answer(request, response).catch(() => refuse(response, { status: 502, message: 'the request broke off' }))
  })
  server.on('connect', (request, client, head) => void egress.connect(request, client, head))
  server.on('clientError', (error: NodeJS.ErrnoException, client: Socket) => {
    if (error.code?.startsWith('HPE_')) journal.refused('a request', 'is not HTTP as it is written')
    client.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', () => client.destroy())
  })
  server.maxConnections = maxConnections
  // A client that thinks between two requests finds its connection as it left it.
  server.keepAliveTimeout = 10 * 60_000
  const folder = await mkdtemp(join(socketRoot(), `${runFolderPrefix}${options.run.slice(0, 36)}.relay`))
  const socket = join(folder, 'socket')
  server.listen(socket)
  await once(server, 'listening')
  const lost = watch(server)

  return {
    socket,
    token,
    lost: lost.signal,
    connectors: (address) =>
      tellConnectors(
        { address, token },
        (options.connectors?.ways ?? []).map(({ name }) => name),
      ),
    environment: ({ address, isWalled }) => ({
      ...(isWalled ? proxyEnvironment({ address, token }) : {}),
      ...(repository ? gitEnvironment({ address, token }, repository.urls) : {}),
    }),
    async [Symbol.asyncDispose]() {
      lost.stop()
      const closed = server.listening ? once(server, 'close') : undefined
      server.close()
      await Promise.all([egress.close(), git?.close(), connectors?.close()])
      server.closeAllConnections()
      model?.close()
      journal.close()
      await closed
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What a proxy is asked for in the open; everything that can be asked so can be asked over TLS. */
function refusePlain(url: string, response: ServerResponse, journal: Journal): void {
  journal.refused(shown(url.split(/[?#]/)[0] ?? ''), 'is asked for without TLS')
  refuse(response, { status: 403, message: 'only https is let through: write https:// in place of http://' })
}

/** A server that stops listening by itself, or cannot take a connection, has left its agent alone. */
function watch(server: Server): { signal: AbortSignal; stop(): void } {
  const broken = new AbortController()
  const lose = (error?: Error) =>
    broken.abort(
      new StepFailed('relay_lost', 'the way of the agent to its model and network broke off', {
        retryable: true,
        cause: error,
      }),
    )
  server.on('error', lose)
  server.on('close', lose)
  return {
    signal: broken.signal,
    stop: () =>
      void server
        .off('close', lose)
        .off('error', lose)
        .on('error', () => undefined),
  }
}
