import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Canaries } from './canaries.ts'

/** Listeners of this machine that tell whoever knocks a secret, and keep what they are told. */
export type Doors = AsyncDisposable & {
  /** As a program writes them: a path, `@` and an abstract name, or `host:port`. */
  all: string[]
  /** Everything that came in, at any of them. */
  heard(): string
}

export async function openDoors(folder: string, { plant, word }: Canaries): Promise<Doors> {
  const heard: Buffer[] = []
  const asked = [
    { where: 'a socket in a folder', path: join(folder, 'door') },
    { where: 'an abstract socket', path: `\0overnight-${word}`.replace(word, word.slice(-6)) },
    { where: 'a port of the loopback', host: '127.0.0.1', port: 0 },
    { where: 'a port of the loopback, IPv6', host: '::1', port: 0 },
  ]
  const open = async ({ where, ...at }: (typeof asked)[number]) => {
    const secret = plant(where)
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (chunk: Buffer) => {
        heard.push(chunk)
        socket.end(secret)
      })
    }).listen(at)
    await once(server, 'listening')
    const address = server.address()
    const isPort = typeof address === 'object' && address !== null
    return { server, door: isPort ? `${at.host ?? ''}:${address.port}` : (at.path ?? '').replace('\0', '@') }
  }
  const servers = await Promise.all(asked.map(open))
  return {
    all: servers.map(({ door }) => door),
    heard: () => Buffer.concat(heard).toString('latin1'),
    async [Symbol.asyncDispose]() {
      for (const { server } of servers) server.close()
    },
  }
}
