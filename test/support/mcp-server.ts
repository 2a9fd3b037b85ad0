import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

type Rpc = { id?: number | string; method?: string; params?: { name?: string; arguments?: unknown } }
type Seen = { method: string; headers: IncomingHttpHeaders; body: string }
export type McpServer = AsyncDisposable & {
  /** `host:port`, as OVERNIGHT_ALLOW_HOSTS lists it. */
  host: string
  url: string
  seen: Seen[]
  /** Names of tools that were called. */
  calls: string[]
  /** How the next requests are answered in place of the honest way, in turn; then that again. */
  next(...odd: ((request: IncomingMessage, response: ServerResponse) => void)[]): void
}

const listed = (name: string) => ({
  name,
  inputSchema: { type: 'object' },
  annotations: { readOnlyHint: name.startsWith('get_') },
})

/** An MCP server on this machine that speaks streamable HTTP, with JSON or with events: it tells who called what with which header. */
export async function openMcpServer({
  tools,
  events = false,
}: {
  tools: string[]
  events?: boolean
}): Promise<McpServer> {
  const [seen, calls]: [Seen[], string[]] = [[], []]
  const odd: ((request: IncomingMessage, response: ServerResponse) => void)[] = []

  function resultOf({ method, params }: Rpc, { authorization }: IncomingHttpHeaders): object {
    if (method === 'initialize') {
      const capabilities = { tools: {}, prompts: {}, resources: {} }
      return { protocolVersion: '2025-06-18', capabilities, serverInfo: { name: 'stand-in', version: '1' } }
    }
    if (method === 'tools/list') return { tools: tools.map(listed) }
    if (method !== 'tools/call') return {}
    calls.push(params?.name ?? '')
    const told = `${params?.name} ${JSON.stringify(params?.arguments ?? {})} for ${authorization}`
    return { content: [{ type: 'text', text: told }] }
  }
  function answer(asked: Rpc | Rpc[], request: IncomingMessage, response: ServerResponse): void {
    const answers = [asked]
      .flat()
      .flatMap((one) =>
        one.id === undefined ? [] : [{ jsonrpc: '2.0', id: one.id, result: resultOf(one, request.headers) }],
      )
    const begins = [asked].flat().some(({ method }) => method === 'initialize')
    const session = begins ? { 'mcp-session-id': `session-${seen.length}` } : {}
    if (answers.length === 0) return void response.writeHead(202).end()
    if (events) {
      response.writeHead(200, { ...session, 'content-type': 'text/event-stream' })
      response.write(': hello\n\n')
      for (const [index, one] of answers.entries()) response.write(`id: ${index}\ndata: ${JSON.stringify(one)}\n\n`)
      return void response.end()
    }
    response.writeHead(200, { ...session, 'content-type': 'application/json' })
    response.end(JSON.stringify(Array.isArray(asked) ? answers : answers[0]))
  }
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', headers } = request
      seen.push({ method, headers, body })
      const instead = odd.shift()
      if (instead) return instead(request, response)
      if (method === 'POST') return answer(JSON.parse(body) as Rpc | Rpc[], request, response)
      response.writeHead(method === 'DELETE' ? 200 : 405).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    url: `http://${host}/mcp`,
    seen,
    calls,
    next: (...some) => void odd.push(...some),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
