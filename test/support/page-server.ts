import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { readAssets } from '../../src/ui/assets.ts'
import type { Html } from '../../src/ui/html.ts'

export type PageServer = AsyncDisposable & {
  origin: string
  /** What `path` shows from now on; asked anew at each request. */
  put(path: string, page: () => Html): void
  /** Sends an event to every page that listens at `path`. */
  tell(path: string, event: string, data: string): void
  /** Pages that listen at `path` now. */
  listeners(path: string): number
  posted: { path: string; form: Record<string, unknown> }[]
}

/** Pages on a loopback port, under the policy the service sends them with. */
export async function openPageServer(): Promise<PageServer> {
  const assets = await readAssets()
  const pages = new Map<string, () => Html>()
  const streams = new Map<string, Set<ReadableStreamDefaultController<string>>>()
  const posted: PageServer['posted'] = []
  const app = new Hono()
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        scriptSrc: ["'self'"],
        connectSrc: ["'self'"],
        imgSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
      referrerPolicy: 'same-origin',
    }),
  )
  app.get('/assets/:name', (c) => {
    const asset = assets.get(c.req.param('name'))
    return asset ? c.body(asset.body, 200, { 'content-type': asset.type }) : c.notFound()
  })
  app.get('/live/:name', (c) => {
    const listening = streams.get(c.req.path) ?? new Set()
    streams.set(c.req.path, listening)
    const body = new ReadableStream<string>({
      start(controller) {
        listening.add(controller)
        c.req.raw.signal.addEventListener('abort', () => listening.delete(controller))
        controller.enqueue(': open\n\n')
      },
    }).pipeThrough(new TextEncoderStream())
    return c.body(body, 200, { 'content-type': 'text/event-stream' })
  })
  app.post('*', async (c) => {
    posted.push({ path: c.req.path, form: await c.req.parseBody() })
    return c.redirect('/', 303)
  })
  app.get('*', (c) => {
    const page = pages.get(c.req.path)
    return page ? c.html(String(page())) : c.notFound()
  })
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    origin: `http://127.0.0.1:${port}`,
    put: (path, page) => void pages.set(path, page),
    tell(path, event, data) {
      const lines = data.split('\n').map((line) => `data: ${line}\n`)
      for (const stream of streams.get(path) ?? []) stream.enqueue(`event: ${event}\n${lines.join('')}\n`)
    },
    listeners: (path) => streams.get(path)?.size ?? 0,
    posted,
    async [Symbol.asyncDispose]() {
      if ('closeAllConnections' in server) server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
