import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openRelay, type Relay } from '../../src/relay/relay.ts'
import type { Sandbox, SandboxDriver } from '../../src/sandboxes/sandbox.ts'
import { openFolder } from '../support/git-repository.ts'
import { openTlsSite, type TlsSite } from '../support/tls-site.ts'

/** A package that a registry has, as it sends it. */
function pack(folder: string): Buffer {
  mkdirSync(join(folder, 'package'))
  writeFileSync(join(folder, 'package/package.json'), JSON.stringify({ name: 'left-pad', version: '1.0.0' }))
  writeFileSync(join(folder, 'package/index.js'), `module.exports = 'padded'`)
  execFileSync('tar', ['-czf', 'left-pad.tgz', 'package'], { cwd: folder })
  return readFileSync(join(folder, 'left-pad.tgz'))
}

/** What curl, npm and Node meet behind the walls of a driver, on their way to the network of a routine. */
export function wayOutContract(create: () => SandboxDriver): void {
  const registry = 'registry.example'
  const folder = openFolder()
  const checkout = join(folder.path, 'checkout')
  const told: string[] = []
  let site: TlsSite
  let relay: Relay
  let sandbox: Sandbox

  beforeAll(async () => {
    mkdirSync(checkout)
    writeFileSync(join(checkout, 'package.json'), JSON.stringify({ name: 'shop', version: '1.0.0', private: true }))
    const tarball = pack(folder.path)
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
    const dist = { tarball: `https://${registry}/left-pad/-/left-pad-1.0.0.tgz`, integrity }
    const versions = { '1.0.0': { name: 'left-pad', version: '1.0.0', dist } }
    const document = JSON.stringify({ name: 'left-pad', 'dist-tags': { latest: '1.0.0' }, versions })
    site = await openTlsSite([registry, 'evil.example'], (request, response) => {
      if (request.url !== '/never') response.end(request.url?.endsWith('.tgz') ? tarball : document)
    })
    const [run, hosts] = ['way-out', new Set([registry])]
    relay = await openRelay({ run, hosts, dial: site.dial(), tell: (line) => told.push(line) })
    const mounts = [
      { path: checkout, write: true },
      { path: site.certificate, write: false },
    ]
    sandbox = await create().open({ run, mounts, forward: { socket: relay.socket } })
  })
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]()
    await relay[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  async function run(argv: readonly string[]) {
    const env = {
      ...relay.environment({ address: sandbox.forwardedAt ?? '', isWalled: true }),
      CURL_CA_BUNDLE: site.certificate,
      NODE_EXTRA_CA_CERTS: site.certificate,
      npm_config_cafile: site.certificate,
      npm_config_registry: `https://${registry}/`,
    }
    const command = await sandbox.spawn(argv, { cwd: checkout, env })
    const [stdout, stderr, exit] = await Promise.all([text(command.stdout), text(command.stderr), command.exit])
    return { stdout, stderr, code: exit.code }
  }
  const fetches = (url: string) =>
    run(['node', '-e', `fetch('${url}').then((a) => a.text()).then(console.log, (e) => console.log(String(e.cause)))`])

  test('curl and fetch of Node reach a host that is listed', async () => {
    expect(await run(['curl', '--silent', '--show-error', `https://${registry}/left-pad`])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"left-pad"') as string,
    })
    expect((await fetches(`https://${registry}/left-pad`)).stdout).toContain('"left-pad"')
  })

  test('npm installs from it', async () => {
    const installed = await run(['npm', 'install', 'left-pad', '--no-audit', '--no-fund', '--no-update-notifier'])
    expect(installed).toMatchObject({ code: 0 })
    expect((await run(['node', '-p', `require('left-pad')`])).stdout).toBe('padded\n')
  })

  test('no other one, by whatever way', async () => {
    const before = site.requests.length
    const refused = await run(['curl', '--silent', '--show-error', 'https://evil.example/'])
    expect(refused).toMatchObject({ stdout: '', stderr: expect.stringMatching(/403/) as string })
    expect(await run(['curl', '-sS', 'http://evil.example/'])).toMatchObject({
      stdout: expect.stringContaining('only https is let through') as string,
    })
    expect((await run(['curl', '-sS', '--noproxy', '*', `https://${registry}/`])).stderr).toMatch(/resolve host/)
    const direct = ['curl', '-sS', '--noproxy', '*', '--resolve', `${registry}:${site.port}:127.0.0.1`]
    expect((await run([...direct, `https://${registry}:${site.port}/`])).stderr).toMatch(/connect/i)
    const fronted = ['curl', '-sS', '--connect-to', `evil.example:443:${registry}:443`, 'https://evil.example/']
    expect((await run(fronted)).code).not.toBe(0)
    expect((await fetches('https://evil.example/')).stdout).toMatch(/403|Error/)
    expect(site.requests.length).toBe(before)
    expect(told).toContain('network: refused evil.example: it is not in the network of this routine')
    expect(told).toContain(`network: refused ${registry}: it was sent a TLS greeting that names another host`)
  })

  test('with the credential of another run nobody gets out', async () => {
    await using other = await openRelay({ run: 'other', hosts: 'open', dial: site.dial(), tell: () => undefined })
    const proxy = `http://run:${other.token}@${sandbox.forwardedAt}`
    const { code, stderr } = await run(['curl', '-sS', '--proxy', proxy, `https://${registry}/`])
    expect({ code, stderr }).toEqual({ code: 56, stderr: expect.stringContaining('407') as string })
  })

  // The last one: after it there is no way.
  test('a relay that goes away: who waits for an answer hears so, and no further command is started', async () => {
    const waits = run(['curl', '--silent', '--show-error', `https://${registry}/never`])
    await vi.waitFor(() => expect(site.requests.some(({ url }) => url === '/never')).toBe(true))
    await relay[Symbol.asyncDispose]()
    expect(await waits).toMatchObject({ stdout: '', code: expect.toSatisfy((code: number) => code > 0) as number })
    const more = { reason: 'no_sandbox', retryable: true }
    await expect(run(['curl', `https://${registry}/left-pad`])).rejects.toMatchObject(more)
  })
}
