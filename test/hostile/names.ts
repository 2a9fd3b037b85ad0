import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { createServer } from 'node:tls'
import { join } from 'node:path'
import { createCertificate } from '../support/certificate.ts'
import { openFolder } from '../support/git-repository.ts'
import { need } from '../support/need.ts'
import { whyNoSmallDisk } from '../support/small-disk.ts'

/** For `describe.skipIf`: a mount namespace, and ports that only root may have. */
export const names = need(process.getuid?.() === 0 ? whyNoSmallDisk() : 'root, for names of its own')

type Site = { address: string; asked: string; bytes: number[] }
const openSite = (address: string): Site => ({ address, asked: '', bytes: [] })

/** Hosts that lead to sites on the loopback, for whoever is started within: port 443 of addresses that nobody else uses. */
export type Names = AsyncDisposable & {
  within: { pid: number; root: string }
  /** `asked`: what came over TLS. `bytes`: of each connection, of whatever kind, once it was over. */
  site(name: string): Readonly<Site>
}

export async function openNames(hosts: readonly string[]): Promise<Names> {
  await using building = new AsyncDisposableStack()
  const folder = building.use(openFolder())
  const { key, certificate } = createCertificate(folder.path, hosts)
  const block = () => 1 + Math.floor(Math.random() * 250)
  const subnet = `127.${block()}.${block()}`
  const sites = new Map(hosts.map((name, index) => [name, openSite(`${subnet}.${index + 2}`)]))
  const tls = { key: readFileSync(key), cert: readFileSync(certificate) }
  for (const site of sites.values()) {
    const server = createServer(tls, (socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (chunk: Buffer) => {
        site.asked += chunk.toString('latin1')
        socket.end('HTTP/1.1 204 No Content\r\n\r\n')
      })
    }).listen(443, site.address)
    server.on('connection', (socket: Socket) => {
      socket.once('close', () => site.bytes.push(socket.bytesRead))
    })
    await once(server, 'listening')
    building.defer(() => void server.close())
  }
  const file = join(folder.path, 'hosts')
  writeFileSync(file, [...sites].map(([name, { address }]) => `${address} ${name}\n`).join(''))
  const script = 'mount --bind "$1" /etc/hosts && echo ready && exec sleep infinity'
  const holder = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  building.defer(async () => {
    holder.kill('SIGKILL')
    await once(holder, 'close')
  })
  await once(holder.stdout, 'data')
  const stack = building.move()
  return {
    within: { pid: holder.pid!, root: `/proc/${holder.pid}/root` },
    site: (name) => sites.get(name)!,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
