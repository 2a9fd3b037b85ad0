import { generateKeyPairSync } from 'node:crypto'
import { EventEmitter, on } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createEmulator } from 'emulate'
import { freePort } from '../free-port.ts'
import type { Files } from '../git-repository.ts'
import { type ApiAnswer, createApi, type Head } from './api.ts'
import { createChecks } from './checks.ts'
import { openDescription } from './description.ts'
import { createFaults, type Fault } from './faults.ts'
import { createGitHost } from './git-host.ts'
import { createHooks, type HookAt } from './hooks.ts'
import { openJournal } from './journal.ts'
import { createRepositories } from './repositories.ts'
import { createTokens, type Token } from './tokens.ts'

export type GitHubOptions = {
  /** Repositories, key and journal are kept here. */
  folder: string
  /** `owner/name` → files of the first commit; without files it is empty. Private unless listed in `open`. */
  repositories?: Record<string, Files>
  open?: readonly string[]
  /** What the App was given. */
  permissions?: Record<string, string>
}

/** `fork`: its branch lies elsewhere, or did; `fresh`: whatever stood on the branch is pushed over. */
type Proposal = { branch: string; files: Files; fork?: boolean | 'deleted'; fresh?: boolean; number?: number }
export type GitHub = AsyncDisposable & Awaited<ReturnType<typeof openGitHub>>
/** To find the primes of one takes longer than most tests: all here have the same. */
const { privateKey: appKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const owner = 'acme'
const appId = '4711'

/** GitHub on one loopback port: pages' address and git at `url`, the API below `url/api/v3`, as an Enterprise server has it. */
export async function openGitHub(options: GitHubOptions) {
  const { folder, repositories: wanted = { 'acme/shop': { 'README.md': '# Shop\n' } }, open = [] } = options
  const journal = openJournal(join(folder, 'journal.ndjson'))
  const root = join(folder, 'repositories')
  mkdirSync(root, { recursive: true })
  const repositories = createRepositories(root, journal.file)
  for (const [name, files] of Object.entries(wanted)) repositories.create(name, files)

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const emulatorPort = await freePort()
  const inner = { owner: 'inner-owner', reader: 'inner-reader' }
  const emulator = await createEmulator({
    service: 'github',
    port: emulatorPort,
    baseUrl: `${url}/api/v3`,
    seed: {
      tokens: { [inner.owner]: { login: owner }, [inner.reader]: { login: 'reader' } },
      github: {
        users: [{ login: owner }, { login: 'reader' }, { login: 'ada' }],
        repos: Object.keys(wanted).map((name) => {
          const [account = '', short = ''] = name.split('/')
          return { owner: account, name: short, private: !open.includes(name), auto_init: true }
        }),
        apps: [
          {
            app_id: Number(appId),
            private_key: appKey,
            slug: 'overnight',
            name: 'Overnight',
            permissions: options.permissions ?? {
              checks: 'write',
              contents: 'write',
              pull_requests: 'write',
              metadata: 'read',
            },
            events: [],
            installations: [{ installation_id: 99, account: owner, repository_selection: 'all' }],
          },
        ],
      },
    },
  })
  const keyFile = join(folder, 'app.pem')
  writeFileSync(keyFile, appKey, { mode: 0o600 })

  const tokens = createTokens(appId)
  const people = {
    owner: tokens.add({ value: `ghp_${'o'.repeat(36)}`, inner: inner.owner, name: 'owner', mayWrite: true }).value,
    reader: tokens.add({ value: `github_pat_${'r'.repeat(82)}`, inner: inner.reader, name: 'reader', mayWrite: false })
      .value,
  }
  const faults = createFaults()
  const hooks = createHooks({ url, journal, isRepository: (name) => Object.hasOwn(wanted, name) })
  const state = {
    installed: true,
    renamed: new Map<string, { id: number; to: string }>(),
    heads: new Map<number, Head>(),
  }
  const emulatorUrl = `http://127.0.0.1:${emulatorPort}`
  const checks = createChecks((name, sha) => repositories.isCommit(name, sha))
  const api = createApi({
    url,
    emulator: emulatorUrl,
    owner: inner.owner,
    tokens,
    repositories,
    journal,
    checks,
    state,
  })
  const git = createGitHost({ url, api, repositories, renamed: state.renamed })
  const describe = openDescription()
  const asOwner = (method: string, written: string, body?: Record<string, unknown>) => {
    const { pathname: path, searchParams: query } = new URL(written, url)
    return api({ method, path, query, body, authorization: undefined, token: tokens.all()[0]! })
  }

  const acts = {
    fault: (fault: Fault) => faults.add(fault),
    hookAt: (at: HookAt) => hooks.point(at),
    deliver: (event: string, payload: object) => hooks.deliver(event, payload),
    redeliver: (guid: string) => hooks.redeliver(guid),
    healthy: () => faults.clear(),
    /** Every installation token so far is worth nothing any more. */
    expireTokens: () => tokens.revoke(({ permissions }) => permissions !== undefined),
    revokeToken: (value: string) => tokens.revoke((token) => token.value === value),
    removeInstallation() {
      state.installed = false
      acts.expireTokens()
    },
    archive: (name: string) => asOwner('PATCH', `/repos/${name}`, { archived: true }).then(expectOk),
    async rename(name: string, to: string) {
      const { id } = (await asOwner('GET', `/repos/${name}`)).body as { id: number }
      expectOk(await asOwner('PATCH', `/repos/${name}`, { name: to.split('/')[1] }))
      repositories.rename(name, to)
      state.renamed.set(name, { id, to })
    },
    /** GitHub's pull requests follow a branch that is renamed. */
    renameBranch(name: string, number: number, [from, to]: readonly [string, string]) {
      repositories.move(name, to, repositories.headOf(name, from)!)
      repositories.remove(name, from)
      state.heads.set(number, { ref: to })
    },
    close: (name: string, number: number) =>
      asOwner('PATCH', `/repos/${name}/pulls/${number}`, { state: 'closed' }).then(expectOk),
    /** A person merges: the base holds the branch, and the branch is deleted as GitHub offers it. */
    async merge(name: string, number: number) {
      const pull = (await asOwner('GET', `/repos/${name}/pulls/${number}`)).body as {
        head: { ref: string }
        base: { ref: string }
      }
      expectOk(await asOwner('PATCH', `/repos/${name}/pulls/${number}`, { draft: false }))
      expectOk(await asOwner('PUT', `/repos/${name}/pulls/${number}/merge`, {}))
      repositories.move(name, pull.base.ref, repositories.headOf(name, pull.head.ref)!)
      repositories.remove(name, pull.head.ref)
    },
    commit: (name: string, branch: string, files: Files) => repositories.commit(name, branch, files),
    /** Somebody opens a pull request, or pushes to it again; one from a fork has no branch here. Answers its number and head. */
    async propose(name: string, { branch, files, fork = false, fresh = false, number }: Proposal) {
      if (fresh && repositories.headOf(name, branch) !== undefined) repositories.remove(name, branch)
      const head = repositories.commit(name, branch, files)
      const body = { title: branch, head: branch, base: 'main', body: '' }
      const opened = number ?? ((await asOwner('POST', `/repos/${name}/pulls`, body)).body as { number: number }).number
      repositories.point(name, `refs/pull/${opened}/head`, head)
      if (fork) {
        repositories.remove(name, branch)
        state.heads.set(opened, { repo: fork === 'deleted' ? null : { id: 4712, full_name: 'mona/shop' } })
      }
      return { number: opened, head }
    },
    comments: async (name: string, number: number) =>
      (await asOwner('GET', `/repos/${name}/issues/${number}/comments`)).body as {
        id: number
        body: string
        user: { login: string }
      }[],
    checkRuns: (name: string, sha: string) => checks.checkRuns(name, sha),
    statuses: (name: string, sha: string) => checks.statuses(name, sha),
    pulls: async (name: string) =>
      (await asOwner('GET', `/repos/${name}/pulls?state=all`)).body as {
        number: number
        state: string
        draft: boolean
        title: string
        body: string | null
        head: { ref: string; sha: string }
      }[],
  }

  const arrivals = new EventEmitter()
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams, search } = new URL(request.url ?? '/', url)
    const method = request.method ?? 'GET'
    const body = await read(request)
    if (pathname.startsWith('/stand-in/')) return control(pathname.slice('/stand-in/'.length), body, response)
    arrivals.emit('request', pathname)
    const fault = faults.take(method, `${pathname}${search}`)
    const found = tokens.find(request.headers.authorization)
    const as = typeof found === 'object' ? found.name : found
    const noted = (status: number) =>
      journal.write({ kind: 'request', method, path: `${pathname}${search}`, as, status })
    const failed = fault && failInstead(fault, request, response)
    if (failed !== undefined) return noted(failed)
    const gitPath = /^\/([^/]+\/[^/]+)\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(pathname)
    if (gitPath)
      return noted(await git({ name: gitPath[1]!, path: pathname, search, request, body, found, fault }, response))
    if (!pathname.startsWith('/api/v3/')) return send(response, { status: 404, body: 'Not Found' })
    const said = await rest({ method, path: pathname.slice('/api/v3'.length), query: searchParams, body }, request)
    noted(said.status)
    if (fault?.connection === 'lost') {
      request.socket.destroy()
      return
    }
    send(response, said, fault?.connection === 'truncated')
  }

  type Raw = { method: string; path: string; query: URLSearchParams; body: Buffer }
  async function rest({ method, path, query, body }: Raw, { headers }: IncomingMessage): Promise<ApiAnswer> {
    const given = body.length === 0 ? undefined : (JSON.parse(body.toString('utf8')) as Record<string, unknown>)
    const wrong = path.startsWith('/repositories/') ? undefined : describe({ method, path, query, body: given })
    if (wrong !== undefined) {
      journal.write({ kind: 'violation', method, path, error: wrong })
      return { status: 599, body: { message: `not as GitHub describes it: ${wrong}` } }
    }
    const token = tokens.find(headers.authorization)
    if (token === 'unknown') return { status: 401, body: { message: 'Bad credentials' } }
    const { authorization } = headers
    const said =
      hooks.answer({ method, path, query, token }) ??
      (await api({ method, path, query, body: given, authorization, token }))
    return isClassic(token) ? { ...said, headers: { ...said.headers, ...scopes } } : said
  }

  async function control(name: string, body: Buffer, response: ServerResponse): Promise<void> {
    if (!Object.hasOwn(acts, name)) return send(response, { status: 404, body: `no act ${name}` })
    const act = acts[name as keyof typeof acts] as (...args: unknown[]) => unknown
    const done = await act(...(JSON.parse(body.toString('utf8') || '[]') as unknown[]))
    send(response, { status: 200, body: JSON.stringify(done ?? null) })
  }

  return {
    url,
    tokens: people,
    app: { id: appId, keyFile },
    journal,
    repositories,
    /** Resolves when a request for such a path arrives. */
    async reached(path: RegExp): Promise<void> {
      for await (const [arrived] of on(arrivals, 'request')) if (path.test(String(arrived))) return
    },
    issued: (): readonly Token[] => tokens.all(),
    ...acts,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await emulator.close()
    },
  }
}

/** https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps: told with each answer. */
const scopes = { 'x-oauth-scopes': 'repo, admin:repo_hook' }
const isClassic = (token: Token | 'none' | 'app') => typeof token === 'object' && token.value.startsWith('ghp_')

function send(response: ServerResponse, { status, headers = {}, body }: ApiAnswer, truncated = false): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
  response.end(truncated ? text.slice(0, text.length / 2) : text)
}

/** The status of a fault in whose place nothing happens; undefined when something does. */
function failInstead(fault: Fault, request: IncomingMessage, response: ServerResponse): number | undefined {
  if (fault.connection === 'drop') request.socket.destroy()
  if (fault.connection === 'drop' || fault.connection === 'hang') return 0
  if (!fault.answer) return undefined
  send(response, { body: '', ...fault.answer })
  return fault.answer.status
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function expectOk({ status, body }: ApiAnswer): void {
  if (status >= 300) throw new Error(`the emulator answered ${status}: ${JSON.stringify(body)}`)
}
