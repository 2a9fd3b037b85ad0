import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createGitHubForge } from '../../../src/forges/github/github.ts'
import { createCertificate } from '../../support/certificate.ts'
import { openFolder } from '../../support/git-repository.ts'

const auth = { kind: 'token', token: `ghp_${'o'.repeat(36)}` } as const
const patience = { pauseMs: 1, waitAtMostMs: 0, spaced: false, silentSeconds: 5 }

/** A server with a certificate that nobody vouches for. It knows acme/shop, and nothing of git. */
async function openPrivateServer() {
  const folder = openFolder()
  const { key, certificate } = createCertificate(folder.path)
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, ({ url }, response) => {
    const isKnown = url === '/api/v3/repos/acme/shop'
    response.writeHead(isKnown ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isKnown ? { full_name: 'acme/shop', archived: false } : { message: 'Not Found' }))
  })
  const url = `https://127.0.0.1:${await listen(server)}`
  return {
    url,
    certificate,
    credentialsDir: join(folder.path, 'credentials'),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      folder[Symbol.dispose]()
    },
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** What git's failure to list the repository means. */
async function listWithGit(forge: ReturnType<typeof createGitHubForge>, url: string): Promise<unknown> {
  await using remote = await forge.openRemote(
    { forge: 'github', name: 'acme/shop', url: `${url}/acme/shop.git` },
    undefined,
  )
  return await remote.git(['ls-remote', `${url}/acme/shop.git`]).catch((error: unknown) => remote.explain(error))
}

describe('a server whose certificate nobody vouches for', () => {
  test('is named at once, by the API and by git, with what to do', async () => {
    await using server = await openPrivateServer()
    const forge = createGitHubForge({ ...server, auth, patience })
    const named = {
      reason: 'forge_unavailable',
      retryable: false,
      message: expect.stringContaining('not trusted'),
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    }
    await expect(forge.locate('acme/shop', '/')).rejects.toMatchObject(named)
    expect(await listWithGit(forge, server.url)).toMatchObject(named)
  })

  test('is trusted by both when the operator names its authority', async () => {
    await using server = await openPrivateServer()
    const source = new URL('../../../src/forges/github/github.ts', import.meta.url).href
    const script = `
      const { createGitHubForge } = await import(${JSON.stringify(source)})
      const { url, credentialsDir } = ${JSON.stringify(server)}
      const forge = createGitHubForge({ url, credentialsDir, auth: undefined, patience: ${JSON.stringify(patience)} })
      const repository = await forge.locate('acme/shop', '/')
      await using remote = await forge.openRemote(repository)
      const said = await remote.git(['ls-remote', repository.url]).catch((error) => remote.explain(error).message)
      console.log(JSON.stringify([repository.name, said]))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
      env: { PATH: process.env['PATH'] ?? '', NODE_EXTRA_CA_CERTS: server.certificate },
    })
    expect(JSON.parse(stdout)).toEqual(['acme/shop', 'acme/shop was not found'])
  })
})

test('git goes through the proxy, and is told which hosts need none', async () => {
  await using server = await openPrivateServer()
  const asked: string[] = []
  const proxy = createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (head: Buffer) => {
      asked.push(head.toString('latin1').split('\r\n')[0]!)
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    })
  })
  const through = { url: `http://127.0.0.1:${await listen(proxy)}`, except: '127.0.0.1' }
  const { credentialsDir } = server
  const url = 'https://forge.acme.example'
  const far = createGitHubForge({ url, credentialsDir, auth, patience, proxy: through })
  expect(await listWithGit(far, url)).toMatchObject({ reason: 'forge_unavailable', retryable: true })
  expect(asked).toEqual(['CONNECT forge.acme.example:443 HTTP/1.1'])
  const near = createGitHubForge({ ...server, auth, patience, proxy: through })
  expect(await listWithGit(near, server.url)).toMatchObject({ message: expect.stringContaining('not trusted') })
  expect(asked).toHaveLength(1)
  await new Promise((resolve) => proxy.close(resolve))
})
