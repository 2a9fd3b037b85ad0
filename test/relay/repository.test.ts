import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { addressesOf, serveMirror } from '../../src/checkout/serve-mirror.ts'
import { openRelay, type RelayOptions } from '../../src/relay/relay.ts'
import { openForward } from '../../src/sandboxes/forward.ts'
import { createRepository, git, gitEnvironment, openFolder } from '../support/git-repository.ts'

const url = 'https://forge.example/acme/shop'
const folder = openFolder()
const [source, mirror] = [join(folder.path, 'source'), join(folder.path, 'mirror.git')]
beforeAll(() => {
  createRepository(source, { 'README.md': '# Shop\n' })
  git(source, 'branch', 'feature')
  git(source, 'update-ref', 'refs/secret/kept', 'HEAD')
  git(source, 'clone', '--quiet', '--mirror', source, mirror)
})
afterAll(() => folder[Symbol.dispose]())

async function open(serve?: NonNullable<RelayOptions['repository']>['serve']) {
  const told: string[] = []
  const relay = await openRelay({
    run: 'run-1',
    repository: { urls: ['overnight://repository', url], serve: serve ?? ((fetch) => serveMirror(mirror, fetch)) },
    hosts: new Set(),
    dial: () => Promise.reject(new Error('nobody is to be called')),
    tell: (line) => told.push(line),
  })
  const forward = await openForward(relay.socket)
  onTestFinished(async () => {
    await forward.close()
    await relay[Symbol.asyncDispose]()
  })
  const env = { ...gitEnvironment, ...relay.environment({ address: forward.address, isWalled: false }) }
  const run = async (args: readonly string[], more: Record<string, string> = {}) =>
    promisify(execFile)('git', args, { cwd: folder.path, env: { ...env, ...more } }).then(
      ({ stdout }) => stdout,
      (error: Error & { stderr: string }) => error.stderr,
    )
  return { relay, told, run }
}

type Ask = { method?: string; headers?: Record<string, string>; body?: Buffer | string }

/** What the relay answers to a request with the run's credential. */
async function ask(socketPath: string, path: string, { method = 'GET', headers = {}, body }: Ask = {}) {
  const sent = request({ socketPath, path, method, headers }).end(body)
  const [answer] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  return { status: answer.statusCode, location: answer.headers.location, body: await text(answer) }
}

describe('the repository of a run', () => {
  test.each(['0', '1', '2'])('is fetched and cloned without any other credential, by protocol %s', async (version) => {
    const { run } = await open()
    const protocol = ['-c', `protocol.version=${version}`]
    expect(await run([...protocol, 'ls-remote', '--heads', 'overnight://repository'])).toBe(
      ['refs/heads/feature', 'refs/heads/main'].map((ref) => `${git(source, 'rev-parse', 'HEAD')}\t${ref}\n`).join(''),
    )
    const clone = join(folder.path, `clone ${version}`)
    await run([...protocol, 'clone', '--quiet', '--branch', 'feature', `${url}.git`, clone])
    expect(git(clone, 'log', '--format=%s')).toBe(git(source, 'log', '--format=%s'))
  })

  test('a fetch that has much to say, which git packs', async () => {
    const { run } = await open()
    const clone = join(folder.path, 'talks')
    createRepository(clone, { 'other.md': 'x' })
    const blob = git(clone, 'rev-parse', 'HEAD^{tree}')
    let parent = git(clone, 'rev-parse', 'HEAD')
    for (let at = 0; at < 60; at += 1) {
      parent = git(clone, 'commit-tree', blob, '-p', parent, '-m', String(at))
      git(clone, 'update-ref', `refs/heads/b${at}`, parent)
    }
    await run(['-C', clone, 'fetch', '--quiet', url, 'feature:refs/heads/feature'])
    expect(git(clone, 'rev-parse', 'feature')).toBe(git(source, 'rev-parse', 'feature'))
  })

  test('is never pushed to, and git says why', async () => {
    const { run, told } = await open()
    expect(await run(['-C', source, 'push', 'overnight://repository', 'HEAD:refs/heads/evil'])).toMatch(
      /nothing is pushed from here: leave the change in the checkout/,
    )
    expect(git(mirror, 'for-each-ref', '--format=%(refname)', 'refs/heads')).toBe('refs/heads/feature\nrefs/heads/main')
    expect(told).toEqual(['network: refused a push: it is not for agents: the change is published from the checkout'])
  })

  test('nothing but its branches is shown, nor sent by its name', async () => {
    const { run } = await open()
    expect(await run(['ls-remote', url, 'refs/secret/*'])).toBe('')
    expect(await run(['-C', source, 'fetch', url, 'refs/secret/kept'])).toMatch(/couldn't find remote ref/)
  })

  test.each([
    ['/git/repository/HEAD', {}, 404],
    ['/git/repository/objects/info/packs', {}, 404],
    ['/git/repository/info/refs', {}, 404],
    ['/git/repository/info/refs?service=git-upload-archive', {}, 404],
    ['/git/repository/../../etc/passwd', {}, 404],
    ['/git/repository/info/refs?service=git-receive-pack', {}, 403],
    ['/git/repository/git-receive-pack', { method: 'POST' }, 403],
    ['/git/repository/info/refs?service=git-upload-pack', { method: 'POST' }, 405],
    ['/git/repository/git-upload-pack', {}, 405],
    ['/git/other/info/refs?service=git-upload-pack', {}, 404],
  ])('%s %j is %i', async (path, sent, status) => {
    const { relay } = await open()
    const headers = { authorization: `Bearer ${relay.token}` }
    expect(await ask(relay.socket, path, { ...sent, headers })).toMatchObject({ status })
  })

  test('with the credential of another run, or none: nothing', async () => {
    const { relay } = await open()
    const { relay: other } = await open()
    for (const headers of [{}, { authorization: `Bearer ${other.token}` }] as Record<string, string>[]) {
      const answer = await ask(relay.socket, '/git/repository/info/refs?service=git-upload-pack', { headers })
      expect(answer).toMatchObject({ status: 403, body: expect.stringContaining('credential of this run') as string })
    }
  })

  test('an address that only begins like it is sent on to where it was going', async () => {
    const { relay } = await open()
    const headers = { authorization: `Bearer ${relay.token}` }
    const sent = await ask(relay.socket, '/git/repository-docs/info/refs?service=git-upload-pack', { headers })
    expect(sent).toMatchObject({ status: 307, location: `${url}-docs/info/refs?service=git-upload-pack` })
  })
})

test.each([
  ['https://github.com/acme/shop.git', ['https://github.com/acme/shop']],
  ['https://forge.example/acme/shop', ['https://forge.example/acme/shop']],
  ['/srv/acme/shop', []],
  ['file:///srv/acme/shop', []],
])('the addresses of %s', (address, named) => {
  expect(addressesOf(address)).toEqual(['overnight://repository', ...named])
})

describe('what git is not held up by', () => {
  const post = { method: 'POST' }
  const path = '/git/repository/git-upload-pack'

  test('a request that unfolds without an end, or that breaks off: it is ended', async () => {
    const { relay } = await open()
    const headers = { authorization: `Bearer ${relay.token}`, 'content-encoding': 'gzip' }
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    expect((await ask(relay.socket, path, { ...post, headers, body: bomb }).catch(() => ({ body: '' }))).body).toBe('')
    expect(
      (await ask(relay.socket, path, { ...post, headers, body: 'no gzip' }).catch(() => ({ body: '' }))).body,
    ).toBe('')

    const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { relay: watched } = await open((fetch) => {
      begun.resolve()
      return serveMirror(mirror, fetch).finally(() => ended.resolve())
    })
    const socket = connect(watched.socket)
    socket.on('error', () => undefined)
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${watched.token}\r\nContent-Length: 99\r\n\r\n0`,
    )
    await begun.promise
    socket.destroy()
    await ended.promise
    expect(socket.destroyed).toBe(true)
  })

  test('three at once, and a run that ends', async () => {
    const started: AbortSignal[] = []
    const { relay } = await open(({ signal }) => {
      started.push(signal)
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))))
    })
    const headers = { authorization: `Bearer ${relay.token}` }
    const asked = () => ask(relay.socket, '/git/repository/info/refs?service=git-upload-pack', { headers })
    const both = Array.from({ length: 2 }, () => asked().catch(() => 'broken off'))
    await vi.waitFor(() => expect(started).toHaveLength(2))
    expect(await asked()).toMatchObject({ status: 503 })
    await relay[Symbol.asyncDispose]()
    expect(await Promise.all(both)).toEqual(Array.from({ length: 2 }, () => 'broken off'))
  })
})
