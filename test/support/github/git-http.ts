import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { httpBackend } from './repositories.ts'

export type GitRequest = {
  root: string
  /** `/owner/name.git/info/refs` */
  path: string
  query: string
  request: IncomingMessage
  /** Read already, because it had to be looked at. */
  body: Buffer
  user: string
}

const backend = httpBackend()

/** git's own HTTP server, as a CGI program. Resolves with the status it answered. */
export async function serveGit(
  { root, path, query, request, body, user }: GitRequest,
  response: ServerResponse,
): Promise<number> {
  const child = spawn(backend, [], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: user,
      REMOTE_ADDR: '127.0.0.1',
    },
  })
  child.stdin.on('error', () => {})
  child.stdin.end(body)
  child.stderr.resume()
  const gone = () => child.kill()
  response.once('close', gone)
  let head: Buffer = Buffer.alloc(0)
  let status = 0
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (status !== 0) {
      response.write(chunk)
      continue
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end === -1) continue
    const lines = head.toString('latin1', 0, end).split('\r\n')
    const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]))
    status = Number.parseInt(headers['Status'] ?? '200', 10)
    delete headers['Status']
    response.writeHead(status, headers)
    response.write(head.subarray(end + 4))
  }
  response.off('close', gone)
  response.end()
  return status
}

/** What GitHub answers to a push that it takes in and then refuses: its words as `remote:` lines, its verdict a ref. */
export function refusePush(
  body: Buffer,
  refusal: { lines: readonly string[]; reason: string },
  response: ServerResponse,
): void {
  const ref =
    /[0-9a-f]{40} [0-9a-f]{40} (refs\/[^\0\n]+)/.exec(body.toString('latin1', 0, 4096))?.[1] ?? 'refs/heads/unknown'
  const report = Buffer.concat([packet('unpack ok\n'), packet(`ng ${ref} ${refusal.reason}\n`), Buffer.from('0000')])
  const said = refusal.lines.map((line) => packet(Buffer.from(`\x02${line}\n`)))
  response.writeHead(200, { 'content-type': 'application/x-git-receive-pack-result' })
  response.end(Buffer.concat([...said, packet(Buffer.concat([Buffer.from([1]), report])), Buffer.from('0000')]))
}

function packet(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string)
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes])
}
