import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, LookupFunction, Socket } from 'node:net'
import { createDial, type Dial, type To } from '../../src/outgoing/dial.ts'
import { createCertificate } from './certificate.ts'
import { openFolder } from './git-repository.ts'

/** Some hosts of the internet, all of them one server on the loopback of this machine. */
export type TlsSite = AsyncDisposable & {
  /** The file with its certificate. */
  certificate: string
  port: number
  connections: Socket[]
  requests: IncomingMessage[]
  /** A way there that resolves names as it is told: in turn, the last answer stays; an empty one is no such name. */
  dial(answers?: readonly string[][]): Dial & { asked: string[] }
}

export async function openTlsSite(names: readonly string[], listener: RequestListener): Promise<TlsSite> {
  const folder = openFolder()
  const { key, certificate } = createCertificate(folder.path, names)
  const [connections, requests]: [Socket[], IncomingMessage[]] = [[], []]
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    requests.push(request)
    listener(request, response)
  }).listen(0, '127.0.0.1')
  server.on('connection', (socket: Socket) => connections.push(socket))
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    certificate,
    port,
    connections,
    requests,
    dial(answers = [['127.0.0.1']]) {
      const asked: string[] = []
      const lookup: LookupFunction = (host, options, done) => {
        const found = (answers[Math.min(asked.length, answers.length - 1)] ?? []).map((address) => ({
          address,
          family: address.includes(':') ? 6 : 4,
        }))
        asked.push(host)
        if (found.length === 0) return done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '', 0)
        if (options.all) done(null, found)
        else done(null, found[0]?.address ?? '', found[0]?.family)
      }
      const dial = createDial({ lookup, alsoPublic: ['127.0.0.1'], connectMs: 2000 })
      return Object.assign((to: To, signal: AbortSignal) => dial({ ...to, port }, signal), { asked })
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      folder[Symbol.dispose]()
    },
  }
}
