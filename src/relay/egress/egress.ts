import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { AddressRefused, messageOf } from '../../errors.ts'
import type { Dial } from '../../outgoing/dial.ts'
import type { Journal } from '../journal.ts'
import { bringsProxyToken, bringsSomething } from '../token.ts'
import { readAuthority, type Hosts } from './authority.ts'
import { hearGreeting, openTunnel, type Tunnel } from './tunnel.ts'

export type EgressOptions = {
  token: string
  hosts: Hosts
  dial: Dial
  journal: Pick<Journal, 'refused' | 'reached'>
  bounds?: Partial<Bounds>
}
type Bounds = {
  connections: number
  /** Of a run, in both directions together. */
  bytes: number
  /** Until a client has said whom it means. */
  greetingMs: number
  idleMs: number
}

/** A package manager opens some fifty at once; an image and all that is built in it have fewer bytes. */
const defaults: Bounds = { connections: 128, bytes: 20 * 1000 ** 3, greetingMs: 10_000, idleMs: 5 * 60_000 }

type Egress = {
  /** Answers a CONNECT. Never rejects. */
  connect(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void>
  /** Ends every connection; they are counted by then. */
  close(): Promise<void>
}

/** The way of a run to the hosts of its routine: what it says there is between the two, only the name in its greeting is looked at. */
export function createEgress({ token, hosts, dial, journal, bounds }: EgressOptions): Egress {
  const { connections, bytes, greetingMs, idleMs } = { ...defaults, ...bounds }
  const closing = new AbortController()
  const open = new Set<Tunnel>()
  const leading = new Set<Promise<void>>()
  const used = { bytes: 0 }

  function passed(length: number): boolean {
    used.bytes += length
    return used.bytes <= bytes
  }
  function refuse(client: Duplex, host: string, why: string): void {
    journal.refused(host, why)
    answer(client, '403 Forbidden', `${host} ${why}`)
  }

  async function lead(client: Duplex, host: string, head: Buffer): Promise<void> {
    const outside = await dial({ host, port: 443, isNamed: hosts !== 'open' }, closing.signal).catch(
      (error: unknown) => error,
    )
    if (!(outside instanceof Socket)) return refuseUnreached(client, host, outside)
    const leave = () => outside.destroy()
    client.once('close', leave)
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    const heard = await hearGreeting(client, { head, patienceMs: greetingMs })
    client.off('close', leave)
    const why = heard && whyNot(heard.greeting, host)
    if (why !== undefined) journal.refused(host, why)
    if (!heard || why !== undefined || client.destroyed || closing.signal.aborted) {
      outside.destroy()
      client.destroy()
      return
    }
    const tunnel = openTunnel({ client, outside, first: heard.bytes, idleMs, passed })
    open.add(tunnel)
    journal.reached(host, await tunnel.ended)
    open.delete(tunnel)
    if (used.bytes > bytes) journal.refused('everything from here on', `is beyond the ${bytes / 1e9} GB of a run`)
  }
  function refuseUnreached(client: Duplex, host: string, error: unknown): void {
    if (error instanceof AddressRefused) return refuse(client, host, 'is not at a public address')
    journal.refused(host, `could not be reached (${messageOf(error)})`)
    answer(client, '502 Bad Gateway', messageOf(error))
  }

  return {
    async connect(request, client, head) {
      client.on('error', () => client.destroy())
      if (!bringsProxyToken(request.headers, token)) {
        // A client that waits to be asked for its credential is asked; it does not stand on the timeline for that.
        if (bringsSomething(request.headers)) journal.refused('a connection', 'brings the credential of another run')
        return answer(client, '407 Proxy Authentication Required', 'this is not the credential of this run')
      }
      const to = readAuthority(request.url ?? '', hosts)
      if ('why' in to) return refuse(client, to.host, to.why)
      if (used.bytes > bytes) return refuse(client, to.host, 'is asked after this run used all the bytes it may')
      if (leading.size >= connections) return refuse(client, to.host, 'is asked for with too many connections open')
      const led = lead(client, to.host, head)
      leading.add(led)
      await led.finally(() => leading.delete(led))
    },
    async close() {
      closing.abort()
      for (const { end } of open) end()
      await Promise.allSettled(leading)
    },
  }
}

function whyNot(greeting: { name: string } | { refused: string }, host: string): string | undefined {
  if ('refused' in greeting) return `was sent ${greeting.refused}`
  return greeting.name.toLowerCase() === host ? undefined : 'was sent a TLS greeting that names another host'
}

/** Written by hand, because a CONNECT leaves HTTP with its first line. */
function answer(client: Duplex, status: string, why: string): void {
  const body = `overnight: ${why}\n`
  const ask = status.startsWith('407') ? 'Proxy-Authenticate: Basic realm="overnight"\r\n' : ''
  const head = `HTTP/1.1 ${status}\r\n${ask}Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`
  client.end(head + body, () => client.destroy())
}
