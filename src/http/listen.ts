import { serve, type ServerType } from '@hono/node-server'
import type { AddressInfo } from 'node:net'
import { OvernightError, SetupError } from '../errors.ts'
import type { App } from './server.ts'

export type Listening = { url: string; hosts: ReadonlySet<string>; close(): Promise<void> }

/** Binds the app; port 0 takes a free one. `publicUrl` is the address people use when something stands in front of us. */
export async function listen(
  app: App,
  where: { host: string; port: number; publicUrl: string | undefined },
): Promise<Listening> {
  const server = await bind(app, where)
  const { port } = server.address() as AddressInfo
  const anywhere = where.host === '0.0.0.0' || where.host === '::'
  const own = `http://${anywhere ? '127.0.0.1' : bracketed(where.host)}:${port}`
  const hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, new URL(own).host])
  if (where.publicUrl !== undefined) hosts.add(new URL(where.publicUrl).host)
  return { url: own, hosts, close: () => close(server) }
}

function bind(app: App, where: { host: string; port: number }): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: where.host, port: where.port }, () => resolve(server))
    server.once('error', (error: NodeJS.ErrnoException) => reject(refusal(where, error)))
  })
}

function refusal({ host, port }: { host: string; port: number }, error: NodeJS.ErrnoException): OvernightError {
  if (error.code === 'EADDRINUSE') {
    return new SetupError(
      `port ${port} on ${host} is taken`,
      'stop what listens there, or set OVERNIGHT_PORT (0 takes a free one)',
      error,
    )
  }
  return new SetupError(
    `cannot listen on ${host}:${port}: ${error.message}`,
    'set OVERNIGHT_HOST and OVERNIGHT_PORT',
    error,
  )
}

/** Event streams never end by themselves: they are cut. */
function close(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
}

const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host)
