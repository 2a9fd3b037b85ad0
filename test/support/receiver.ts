import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

type Received = { path: string; headers: IncomingHttpHeaders; body: string }
export type Receiver = AsyncDisposable & {
  /** `host:port`, as OVERNIGHT_ALLOW_HOSTS lists it. */
  host: string
  url(path: string): string
  /** What the next posts to a path are answered with, in turn; then 204. `silent`: not at all. */
  answers(path: string, ...answers: (number | 'silent')[]): void
  /** The n-th post to a path, once it is there. */
  post(path: string, n?: number): Promise<Received>
  posts(path: string): Received[]
}

/** Somebody on this machine who takes callbacks. */
export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const planned = new Map<string, (number | 'silent')[]>()
  const waiting = new Set<() => void>()
  const answer = (path: string, response: ServerResponse) => {
    const planning = planned.get(path)?.shift() ?? 204
    if (planning !== 'silent') response.writeHead(planning).end()
  }
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const path = request.url ?? ''
      received.push({ path, headers: request.headers, body })
      answer(path, response)
      for (const look of waiting) look()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const posts = (path: string) => received.filter((one) => one.path === path)
  return {
    host,
    url: (path) => `http://${host}${path}`,
    answers: (path, ...answers) => void planned.set(path, answers),
    posts,
    post: (path, n = 1) =>
      new Promise((resolve) => {
        const look = () => {
          const found = posts(path)[n - 1]
          if (!found) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
