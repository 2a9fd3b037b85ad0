import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, utimesSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createMirrors } from '../../../src/checkout/mirror.ts'
import type { Fault } from '../../support/github/faults.ts'
import { asOwner, openGitHubGround } from '../../support/github/ground.ts'
import { git } from '../../support/git-repository.ts'
import { listenAnywhere } from '../../support/listen-anywhere.ts'

const branch = 'overnight/tidy/main'
const receiving = { path: String.raw`\.git/git-receive-pack$` }
const advertised = { path: String.raw`\.git/info/refs\?service=git-receive-pack$` }
const listing = { path: String.raw`\.git/info/refs\?service=git-upload-pack$` }
const fetching = { path: String.raw`\.git/git-upload-pack$` }

async function openReady(options: Parameters<typeof openGitHubGround>[0] = {}) {
  const ground = await openGitHubGround(options)
  const repository = await ground.forge.locate('acme/shop', ground.folder)
  const base = (await ground.forge.findHead(repository, 'main'))!
  const commit = ground.commit(base, { 'a.txt': 'a\n' })
  const push = (forge = ground.forge) => forge.ensureBranch({ ...ground, repository, branch, commit, expected: null })
  const mirror = (forge = ground.forge) =>
    createMirrors(forge.openRemote)({ root: join(ground.folder, 'mirrors'), repository, signal: ground.signal })
  return { ...ground, repository, commit, push, mirror, [Symbol.asyncDispose]: () => ground[Symbol.asyncDispose]() }
}

describe('a push', () => {
  test.each<[string, Fault, object]>([
    [
      'protected',
      {
        ...receiving,
        push: {
          lines: ['error: GH006: Protected branch update failed for refs/heads/x.'],
          reason: 'protected branch hook declined',
        },
      },
      { reason: 'push_refused', hint: expect.stringContaining('overnight/**') },
    ],
    [
      'a hook',
      { ...receiving, push: { lines: ['branches need a ticket'], reason: 'pre-receive hook declined' } },
      { reason: 'push_refused', message: 'acme/shop refused the branch: branches need a ticket' },
    ],
    [
      'too large',
      {
        ...receiving,
        push: {
          lines: ['error: GH001: Large files detected.', 'File big.bin is 120.00 MB'],
          reason: 'pre-receive hook declined',
        },
      },
      { reason: 'push_refused', message: expect.stringContaining('File big.bin is 120.00 MB') },
    ],
    [
      'a workflow',
      {
        ...receiving,
        push: {
          lines: [],
          reason:
            'refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission',
        },
      },
      { reason: 'push_refused', hint: expect.stringContaining('permission Workflows') },
    ],
    [
      'too large for the server in front',
      { ...receiving, answer: { status: 413 } },
      { reason: 'push_refused', message: expect.stringContaining('too large') },
    ],
    ['an error', { ...receiving, answer: { status: 500 } }, { reason: 'forge_unavailable', retryable: true }],
    [
      'an error at the beginning',
      { ...advertised, answer: { status: 503 } },
      { reason: 'forge_unavailable', retryable: true },
    ],
    [
      'a connection that ends',
      { ...receiving, times: 9, connection: 'drop' },
      { reason: 'forge_unavailable', retryable: true },
    ],
    ['no answer', { ...receiving, connection: 'hang' }, { reason: 'forge_unavailable', retryable: true }],
    [
      'credentials refused for good',
      { ...advertised, times: 9, answer: { status: 401, headers: { 'www-authenticate': 'Basic realm="GitHub"' } } },
      { reason: 'forge_denied' },
    ],
    [
      'no permission',
      {
        ...advertised,
        answer: {
          status: 403,
          headers: { 'content-type': 'text/plain' },
          body: 'Write access to repository not granted.',
        },
      },
      { reason: 'forge_denied', hint: expect.stringContaining('Contents') },
    ],
    ['limited', { ...advertised, answer: { status: 429 } }, { reason: 'forge_unavailable', retryAfterMs: 60_000 }],
  ])('%s: is named, and works when all is well again', async (_, fault, error) => {
    await using ground = await openReady({ patience: { silentSeconds: 1 } })
    ground.github.fault(fault)
    await expect(ground.push()).rejects.toMatchObject(error)
    ground.github.healthy()
    await ground.push()
    expect(ground.github.repositories.headOf('acme/shop', branch)).toBe(ground.commit)
    expect(readdirSync(ground.credentialsDir)).toEqual([])
  })

  test('whose answer is lost has happened', async () => {
    await using ground = await openReady()
    ground.github.fault({ ...receiving, connection: 'lost' })
    await ground.push()
    const moves = ground.github.journal.lines().filter((line) => line.kind === 'ref' && line.ref.endsWith(branch))
    expect(moves).toMatchObject([{ new: ground.commit }])
  })

  test('to an archived repository, and with an App that was removed', async () => {
    await using ground = await openReady()
    await ground.github.archive('acme/shop')
    await expect(ground.push()).rejects.toMatchObject({
      reason: 'push_refused',
      message: expect.stringContaining('archived'),
    })
    await expect(ground.forge.locate('acme/shop', '')).rejects.toMatchObject({
      reason: 'push_refused',
      hint: expect.stringContaining('unarchive'),
    })
    ground.github.removeInstallation()
    await expect(ground.push()).rejects.toMatchObject({
      reason: 'no_checkout',
      message: expect.stringContaining('not installed'),
    })
  })

  test('with a token that may only read, that is not valid, or with none', async () => {
    await using ground = await openReady({ open: ['acme/shop'] })
    const { tokens } = ground.github
    const reader = ground.forgeAs({ kind: 'token', token: tokens.reader })
    await expect(ground.push(reader)).rejects.toMatchObject({
      reason: 'forge_denied',
      message: expect.stringContaining('Write access'),
    })
    const revoked = ground.forgeAs({ kind: 'token', token: `ghp_${'x'.repeat(36)}` })
    await expect(ground.push(revoked)).rejects.toMatchObject({
      reason: 'forge_denied',
      hint: expect.stringContaining('OVERNIGHT_GITHUB_TOKEN'),
    })
    const nobody = ground.forgeAs(undefined)
    expect((await nobody.locate('acme/shop', '')).name).toBe('acme/shop')
    expect((await ground.mirror(nobody)).defaultBranch).toBe('main')
    await expect(ground.push(nobody)).rejects.toMatchObject({
      reason: 'forge_denied',
      hint: expect.stringContaining('OVERNIGHT_GITHUB_APP_ID'),
    })
    await expect(nobody.locate('acme/other', '')).rejects.toMatchObject({ reason: 'no_checkout' })
  })

  test('with an App whose key is gone, wrong, or that lacks a permission', async () => {
    await using ground = await openReady({ permissions: { contents: 'read', metadata: 'read' } })
    const { app } = ground.github
    const gone = ground.forgeAs({ kind: 'app', appId: app.id, keyFile: '/nonexistent/key.pem' })
    await expect(ground.push(gone)).rejects.toMatchObject({
      reason: 'forge_denied',
      hint: expect.stringContaining('OVERNIGHT_GITHUB_APP_KEY_FILE'),
    })
    const stranger = ground.forgeAs({ kind: 'app', appId: '999', keyFile: app.keyFile })
    await expect(ground.push(stranger)).rejects.toMatchObject({ reason: 'forge_denied' })
    await expect(ground.push()).rejects.toMatchObject({
      reason: 'forge_denied',
      message: expect.stringContaining('lacks permissions'),
      hint: expect.stringContaining('Contents'),
    })
  })
})

describe('reading', () => {
  test.each<[string, Fault, object]>([
    ['an error', { ...listing, answer: { status: 502 } }, { reason: 'forge_unavailable', retryable: true }],
    ['an error while fetching', { ...fetching, times: 9, answer: { status: 500 } }, { reason: 'forge_unavailable' }],
    ['no answer', { ...fetching, times: 9, connection: 'hang' }, { reason: 'forge_unavailable', retryable: true }],
    [
      'not visible',
      { ...listing, answer: { status: 404, body: 'Repository not found.' } },
      { reason: 'no_checkout', hint: expect.stringContaining('access') },
    ],
    [
      'credentials refused for good',
      { ...listing, times: 9, answer: { status: 401, headers: { 'www-authenticate': 'Basic realm="GitHub"' } } },
      { reason: 'forge_denied' },
    ],
  ])('%s: is named, and works when all is well again', async (_, fault, error) => {
    await using ground = await openReady({ patience: { silentSeconds: 1 } })
    ground.github.fault(fault)
    await expect(ground.mirror()).rejects.toMatchObject(error)
    ground.github.healthy()
    const mirror = await ground.mirror()
    expect(git(mirror.gitDir, 'rev-parse', 'main')).toBe(ground.github.repositories.headOf('acme/shop', 'main'))
  })

  test('a token that was withdrawn between its making and its use is made anew', async () => {
    await using ground = await openReady()
    await using remote = await ground.forge.openRemote(ground.repository, ground.signal)
    ground.github.expireTokens()
    expect((await remote.git(['ls-remote', ground.repository.url])).stdout.toString()).toContain('refs/heads/main')
  })

  test('a repository that was renamed is found by its old name, and that is told', async () => {
    await using ground = await openReady()
    await ground.github.rename('acme/shop', 'acme/store')
    for (const forge of [ground.forge, ground.forgeAs(asOwner(ground.github))]) {
      const found = await forge.locate('acme/shop', '')
      expect(found).toMatchObject({
        name: 'acme/store',
        url: `${ground.github.url}/acme/store.git`,
        notes: [expect.stringContaining('acme/shop is acme/store now')],
      })
      expect(await forge.findHead(found, 'main')).toMatch(/^[0-9a-f]{40}$/)
    }
    // In the middle of a run, only the old name is known; what looks for it again finds it.
    const lost = { reason: 'no_checkout', message: expect.stringContaining('acme/shop has moved'), retryable: true }
    await expect(ground.mirror()).rejects.toMatchObject(lost)
    await expect(ground.mirror(ground.forgeAs(asOwner(ground.github)))).rejects.toMatchObject(lost)
  })

  test('a repository without a commit', async () => {
    await using ground = await openGitHubGround({ repositories: { 'acme/shop': { a: '' }, 'acme/empty': {} } })
    const repository = await ground.forge.locate('acme/empty', '')
    expect(await ground.forge.findHead(repository, 'main')).toBeUndefined()
    const mirror = createMirrors(ground.forge.openRemote)({
      root: join(ground.folder, 'm'),
      repository,
      signal: ground.signal,
    })
    await expect(mirror).rejects.toMatchObject({ reason: 'no_checkout', message: 'acme/empty is empty' })
  })
})

describe('a token', () => {
  test('is never seen by a host that we are sent to', async () => {
    const heard: string[] = []
    await using elsewhere = await listenAnywhere((headers) => {
      heard.push(JSON.stringify(headers))
      return '{}'
    })
    await using ground = await openReady({ auth: asOwner })
    const there = `http://localhost:${elsewhere.port}`
    const to = (path: string) => ({ status: 302, headers: { location: `${there}${path}` } })
    ground.github.fault({ ...listing, times: 9, answer: to('/acme/shop.git/info/refs?service=git-upload-pack') })
    await expect(ground.mirror()).rejects.toMatchObject({ reason: 'no_checkout' })
    ground.github.fault({ method: 'GET', path: '/api/v3/repos/acme/shop$', answer: to('/repos/acme/shop') })
    await expect(ground.forge.locate('acme/shop', '')).rejects.toMatchObject({ reason: 'internal' })
    expect(heard.length).toBeGreaterThan(0)
    for (const headers of heard) expect(headers).not.toMatch(/authorization|ghp_/)
  })

  test('is for one repository and one use, and may no more than that', async () => {
    await using ground = await openReady({
      repositories: { 'acme/shop': { 'a.md': '' }, 'acme/other': { 'a.md': '' } },
    })
    const minted = () => ground.github.issued().filter(({ permissions }) => permissions !== undefined)
    const before = minted().length
    await ground.mirror()
    await ground.forge.findPulls(ground.repository, branch)
    await ground.push()
    const read = { contents: 'read', metadata: 'read' }
    expect(
      minted()
        .slice(before)
        .map(({ permissions }) => permissions),
    ).toEqual([
      read,
      { ...read, pull_requests: 'read' },
      { contents: 'write', pull_requests: 'write', metadata: 'read' },
    ])
    expect(new Set(minted().map(({ value }) => value)).size).toBe(minted().length)
    for (const { repositories } of minted()) expect(repositories).toEqual(['acme/shop'])
  })

  test('that a killed process left is removed at the next use, and that of a living one is not', async () => {
    await using ground = await openReady()
    const { pid } = spawnSync('true')
    const [dead, living] = [`${pid}@${hostname()}@aaaaaa`, `${process.ppid}@${hostname()}@bbbbbb`]
    // In a container that was started again, this process may have the number of the one that was killed.
    const before = `${process.pid}@${hostname()}@cccccc`
    for (const name of [dead, living, before]) mkdirSync(join(ground.credentialsDir, name), { recursive: true })
    const begun = new Date(Date.now() - process.uptime() * 1000 - 60_000)
    utimesSync(join(ground.credentialsDir, before), begun, begun)
    await ground.push()
    expect(readdirSync(ground.credentialsDir)).toEqual([living])
  })

  test('is in a file for as long as git needs it, and nowhere else', async () => {
    await using ground = await openReady()
    ground.github.fault({ ...receiving, connection: 'hang' })
    const stop = new AbortController()
    const pushing = ground.forge.ensureBranch({
      ...ground,
      repository: ground.repository,
      branch,
      commit: ground.commit,
      expected: null,
      signal: stop.signal,
    })
    const pushed = pushing.catch((error: unknown) => error)
    await ground.github.reached(/git-receive-pack$/)
    // Those that were minted for this test: the people's are the same in every stand-in of this machine.
    const minted = ground.github.issued().filter(({ permissions }) => permissions !== undefined)
    const secrets = minted.map(({ value }) => value)
    expect(secrets.some((secret) => secret.startsWith('ghs_') && secret.length > 500)).toBe(true)
    expect(seenInProcesses(secrets)).toEqual([])
    const [folder = ''] = readdirSync(ground.credentialsDir)
    expect(secrets).toContain(readFileSync(join(ground.credentialsDir, folder, 'token'), 'utf8').trim())
    stop.abort(new Error('enough'))
    expect(await pushed).toMatchObject({ message: 'enough' })
    expect(readdirSync(ground.credentialsDir)).toEqual([])
    expect(readFileSync(join(ground.gitDir, 'config'), 'utf8')).not.toMatch(/gh[ps]_/)
  })
})

/** Processes of this machine, but not this one, that have one of the secrets among their arguments or in their environment. */
function seenInProcesses(secrets: readonly string[]): string[] {
  const others = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
  return others.flatMap((pid) =>
    ['cmdline', 'environ'].flatMap((file) => {
      const text = read(`/proc/${pid}/${file}`)
      return secrets.some((secret) => text.includes(secret)) ? [`${pid}/${file}`] : []
    }),
  )
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
