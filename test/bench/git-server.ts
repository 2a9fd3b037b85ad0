import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, dirname } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { serveGit } from '../support/github/git-http.ts'

/** One repository over HTTP, by git's own server. */
export async function startGitServer(repository: string): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    void (async () => {
      const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://localhost')
      const body = await buffer(request)
      const query = searchParams.toString()
      await serveGit({ root: dirname(repository), path, query, request, body, user: '' }, response)
    })().catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${basename(repository)}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
