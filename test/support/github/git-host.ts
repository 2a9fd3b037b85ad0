import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ApiAnswer, ApiRequest } from './api.ts'
import type { Fault } from './faults.ts'
import { refusePush, serveGit } from './git-http.ts'
import type { Repositories } from './repositories.ts'
import { mayAct, type Token } from './tokens.ts'

export type GitAsked = {
  name: string
  path: string
  search: string
  request: IncomingMessage
  body: Buffer
  found: Token | 'none' | 'app' | 'unknown'
  fault: Fault | undefined
}
export type GitHostOptions = {
  url: string
  api: (request: ApiRequest) => Promise<ApiAnswer>
  repositories: Pick<Repositories, 'root'>
  renamed: ReadonlyMap<string, { to: string }>
}

/** Clone and push as GitHub serves them: who may is asked first, then git does it. Resolves with the status. */
export function createGitHost({ url, api, repositories, renamed }: GitHostOptions) {
  return async (asked: GitAsked, response: ServerResponse): Promise<number> => {
    const { name, path, search, request, body, found, fault } = asked
    const moved = renamed.get(name)
    if (moved) {
      response.writeHead(301, { location: `${url}${path.replace(name, moved.to)}${search}` }).end()
      return 301
    }
    const refusal = await refusalOf(asked)
    if (refusal) {
      const [status, text] = refusal
      const challenge = status === 401 ? { 'www-authenticate': 'Basic realm="GitHub"' } : {}
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...challenge }).end(text)
      return status
    }
    if (fault?.push && path.endsWith('/git-receive-pack')) {
      refusePush(body, fault.push, response)
      return 200
    }
    const user = typeof found === 'object' ? found.name : ''
    const cgi = { root: repositories.root, path, query: search.slice(1), request, body, user }
    if (fault?.connection !== 'lost') return serveGit(cgi, response)
    // It happens, and its answer goes nowhere.
    await serveGit(cgi, nowhere(response))
    request.socket.destroy()
    return 0
  }

  async function refusalOf({
    name,
    path,
    search,
    found,
  }: GitAsked): Promise<[status: number, text: string] | undefined> {
    if (found === 'unknown' || found === 'app') return [401, 'Invalid username or token.']
    const query = new URLSearchParams()
    const asked = {
      method: 'GET',
      path: `/repos/${name}`,
      query,
      body: undefined,
      authorization: undefined,
      token: found,
    }
    const seen = await api(asked)
    if (seen.status !== 200) return [found === 'none' ? 401 : 404, 'Repository not found.']
    if (!`${path}${search}`.includes('git-receive-pack'))
      return mayAct(found, 'contents', 'read') ? undefined : [403, 'Resource not accessible by integration']
    if (found === 'none') return [401, 'No anonymous write access.']
    if (!mayAct(found, 'contents', 'write')) return [403, 'Write access to repository not granted.']
    const { archived } = seen.body as { archived: boolean }
    return archived ? [403, 'This repository was archived so it is read-only.'] : undefined
  }
}

function nowhere(response: ServerResponse): ServerResponse {
  return Object.assign(Object.create(response) as ServerResponse, {
    writeHead: () => response,
    write: () => true,
    end: () => response,
  })
}
