import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** For commands on the loopback of this machine: a free port of it that leads to the socket. */
export async function openForward(socket: string): Promise<{ address: string; close(): Promise<void> }> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const host = connect({ path: socket, allowHalfOpen: true })
    client.pipe(host).pipe(client)
    bind(client, host)
    bind(host, client)
  })
  function bind(one: Socket, other: Socket): void {
    open.add(one)
    one.on('error', () => undefined)
    one.on('close', () => {
      open.delete(one)
      other.destroy()
    })
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    address: `127.0.0.1:${port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
