import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Something else that listens on this machine. */
export async function listenAnywhere(answer: (headers: object) => string): Promise<AsyncDisposable & { port: number }> {
  const server: Server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(answer(request.headers))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
