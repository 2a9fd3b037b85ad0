import type { createChecks } from './checks.ts'
import type { Journal } from './journal.ts'
import type { Repositories } from './repositories.ts'
import { mayAct, type Token, type Tokens } from './tokens.ts'

export type ApiRequest = {
  method: string
  /** Below `/api/v3`. */
  path: string
  query: URLSearchParams
  body: Record<string, unknown> | undefined
  authorization: string | undefined
  token: Token | 'none' | 'app'
}
export type ApiAnswer = { status: number; headers?: Record<string, string>; body: unknown }
export type ApiOptions = {
  /** Where people and clients reach the stand-in. */
  url: string
  emulator: string
  /** The emulator's token of the account that owns the repositories. */
  owner: string
  tokens: Tokens
  repositories: Repositories
  journal: Journal
  checks: ReturnType<typeof createChecks>
  state: { installed: boolean; renamed: Map<string, { id: number; to: string }>; heads: Map<number, Head> }
}
/** Of a pull request whose branch lies in a fork (null: in one that is gone), or is called otherwise by now. */
export type Head = { ref?: string; repo?: { id: number; full_name: string } | null }

type Pull = {
  number: number
  state: string
  head: { ref: string; sha: string }
  base: { ref: string; sha: string }
  changed_files?: number
}

/** GitHub's REST API: the emulator's, under the rules that it lacks, and with git as the truth about branches. */
export function createApi(options: ApiOptions) {
  const { repositories, journal, state, tokens, url } = options

  // GitHub looks for another pull request and opens one in the same moment.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = (act: () => Promise<ApiAnswer>): Promise<ApiAnswer> => {
    const mine = last.then(act)
    last = mine.catch(() => {})
    return mine
  }

  async function forward(
    { method, path, query, body, token, authorization }: ApiRequest,
    as?: string,
  ): Promise<ApiAnswer> {
    const inner = as ?? (typeof token === 'object' ? token.inner : undefined)
    const answer = await fetch(`${options.emulator}${path}${query.size > 0 ? `?${query.toString()}` : ''}`, {
      method,
      headers: {
        ...(inner !== undefined ? { authorization: `Bearer ${inner}` } : {}),
        ...(token === 'app' && authorization !== undefined ? { authorization } : {}),
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const link = answer.headers.get('link')?.replaceAll(options.emulator, `${url}/api/v3`)
    const shown = text.replaceAll(`"html_url":"${url}/api/v3/`, `"html_url":"${url}/`)
    return {
      status: answer.status,
      headers: link === undefined ? {} : { link },
      body: shown === '' ? '' : JSON.parse(shown),
    }
  }

  async function onRepository(request: ApiRequest, name: string, rest: string): Promise<ApiAnswer> {
    const { method, token } = request
    if (rest === '/installation') return state.installed ? forward(request) : notFound
    const seen = await lookAt(request, name)
    if (!seen) return notFound
    if (rest === '') return method === 'GET' ? seen : forward(request)
    if (/^\/(git|compare)\//.test(rest))
      return token !== 'app' && mayAct(token, 'contents', 'read') ? commits(name, rest) : forbidden
    if (rest === '/pulls' && method === 'POST') return inTurn(() => openPull(request, name))
    return options.checks.answer(request, name, rest) ?? onPulls(request, name, rest)
  }

  async function lookAt(request: ApiRequest, name: string): Promise<ApiAnswer | undefined> {
    const query = new URLSearchParams()
    const seen = await forward({ ...request, method: 'GET', path: `/repos/${name}`, query, body: undefined })
    return seen.status === 200 && isListed(request.token, name) ? seen : undefined
  }

  async function onPulls(request: ApiRequest, name: string, rest: string): Promise<ApiAnswer> {
    const { method, token, query } = request
    const files = /^\/pulls\/(\d+)\/files$/.exec(rest)
    if (files) return filesOf(request, name, files[1]!)
    // GitHub lets the permission for pull requests label them; the emulator asks for the one for issues.
    const labels = rest.endsWith('/labels') && token !== 'app' && mayAct(token, 'pull_requests', 'write')
    const answer = await forward(request, labels ? options.owner : undefined)
    if (!/^\/pulls(\/\d+)?$/.test(rest) || answer.status !== 200) return answer
    if (method === 'PATCH') note('updated', name, answer.body as Pull)
    return { ...answer, body: await follow(answer.body, name, query.get('state') ?? 'open') }
  }

  const commits = (name: string, rest: string): ApiAnswer =>
    rest.startsWith('/git/') ? refs(name, rest) : compare(name, rest)

  function refs(name: string, rest: string): ApiAnswer {
    const one = /^\/git\/ref\/(.+)$/.exec(rest)
    const wanted = decodeURIComponent(one?.[1] ?? rest.replace('/git/matching-refs/', ''))
    if (repositories.refs(name, '').length === 0) return { status: 409, body: { message: 'Git Repository is empty.' } }
    const found = repositories.refs(name, wanted).map(({ ref, sha }) => ({ ref, object: { sha, type: 'commit' } }))
    if (!one) return { status: 200, body: found }
    const exact = found.find(({ ref }) => ref === `refs/${wanted}`)
    return exact ? { status: 200, body: exact } : notFound
  }

  /** A commit of a fork is found here, too. */
  function compare(name: string, rest: string): ApiAnswer {
    const [base = '', head = ''] = decodeURIComponent(rest.replace('/compare/', '')).split('...')
    const tip = repositories.headOf(name, head)
    if (tip === undefined || !repositories.isCommit(name, base)) return notFound
    const [ahead_by, behind_by] = [
      repositories.countBetween(name, base, tip),
      repositories.countBetween(name, tip, base),
    ]
    if (base === tip) return { status: 200, body: { status: 'identical', ahead_by, behind_by } }
    const status = ahead_by > 0 ? 'ahead' : 'behind'
    return { status: 200, body: { status: ahead_by * behind_by > 0 ? 'diverged' : status, ahead_by, behind_by } }
  }

  async function openPull(request: ApiRequest, name: string): Promise<ApiAnswer> {
    const [owner = ''] = name.split('/')
    const head = String(request.body?.['head']).replace(`${owner}:`, '')
    const base = String(request.body?.['base'])
    const [headCommit, baseCommit] = [repositories.headOf(name, head), repositories.headOf(name, base)]
    if (baseCommit === undefined) return invalid({ field: 'base', code: 'invalid' })
    if (headCommit === undefined) return invalid({ field: 'head', code: 'invalid' })
    if (repositories.countBetween(name, baseCommit, headCommit) === 0)
      return invalid({ code: 'custom', message: `No commits between ${base} and ${head}` })
    const query = new URLSearchParams({ head: `${owner}:${head}`, state: 'open' })
    const open = await forward({ ...request, method: 'GET', query, body: undefined })
    if (Array.isArray(open.body) && open.body.length > 0)
      return invalid({ code: 'custom', message: `A pull request already exists for ${owner}:${head}.` })
    const made = await forward({ ...request, body: { ...request.body, head } })
    if (made.status !== 201) return made
    const pull = { ...(made.body as Pull), head: { ...(made.body as Pull).head, sha: headCommit } }
    repositories.point(name, `refs/pull/${pull.number}/head`, headCommit)
    note('opened', name, pull)
    return { ...made, body: pull }
  }

  async function filesOf(request: ApiRequest, name: string, number: string): Promise<ApiAnswer> {
    const pull = await forward({ ...request, path: `/repos/${name}/pulls/${number}` })
    if (pull.status !== 200) return pull
    const { base, head } = pull.body as Pull
    return { status: 200, body: repositories.changedFiles(name, base.ref, head.ref) }
  }

  function note(act: 'opened' | 'updated', repository: string, { number, head }: Pull): void {
    journal.write({ kind: 'pull', act, repository, number, branch: head.ref, head: head.sha })
  }

  /** An open pull request stands at its branch, and is closed when that is gone. */
  async function follow(body: unknown, name: string, wanted: string): Promise<unknown> {
    if (!Array.isArray(body)) return (await followed(body as Pull, name)) satisfies Pull
    const all = await Promise.all(body.map((pull: Pull) => followed(pull, name)))
    return wanted === 'all' ? all : all.filter((pull) => pull.state === wanted)
  }
  async function followed(asOpened: Pull, name: string): Promise<Pull> {
    const pull = { ...asOpened, head: { ...asOpened.head, ...state.heads.get(asOpened.number) } }
    if (pull.state !== 'open' || state.heads.get(pull.number)?.repo !== undefined) return pull
    const sha = repositories.headOf(name, pull.head.ref)
    if (sha === undefined) return { ...pull, state: 'closed' }
    repositories.point(name, `refs/pull/${pull.number}/head`, sha)
    return {
      ...pull,
      head: { ...pull.head, sha },
      changed_files: repositories.changedFiles(name, pull.base.ref, sha).length,
    }
  }

  async function mintToken(request: ApiRequest): Promise<ApiAnswer> {
    const answer = state.installed ? await forward(request) : notFound
    if (answer.status !== 201) return answer
    const {
      token,
      permissions,
      repositories: named,
    } = answer.body as {
      token: string
      permissions: Record<string, string>
      repositories?: { full_name: string }[]
    }
    const limits = { permissions, ...(named ? { repositories: named.map((repository) => repository.full_name) } : {}) }
    return { ...answer, body: { ...(answer.body as object), token: tokens.mint(token, limits).value } }
  }

  return async (request: ApiRequest): Promise<ApiAnswer> => {
    const { path } = request
    if (/^\/app\/installations\/\d+\/access_tokens$/.test(path)) return mintToken(request)
    const byId = /^\/repositories\/(\d+)(.*)$/.exec(path)
    if (byId) {
      const found = await forward(
        { ...request, method: 'GET', path: `/repositories/${byId[1]}`, body: undefined },
        options.owner,
      )
      const name = (found.body as { full_name?: string }).full_name
      return name === undefined
        ? notFound
        : onRepository({ ...request, path: `/repos/${name}${byId[2]}` }, name, byId[2]!)
    }
    const [, name, rest = ''] = /^\/repos\/([^/]+\/[^/]+)(\/.*)?$/.exec(path) ?? []
    if (name === undefined) return forward(request)
    const moved = state.renamed.get(name)
    if (!moved) return onRepository(request, name, rest)
    const location = `${url}/api/v3/repositories/${moved.id}${rest}`
    return { status: 301, headers: { location }, body: { message: 'Moved Permanently', url: location } }
  }
}

function isListed(token: ApiRequest['token'], name: string): boolean {
  return typeof token !== 'object' || token.repositories === undefined || token.repositories.includes(name)
}

const notFound: ApiAnswer = {
  status: 404,
  body: { message: 'Not Found', documentation_url: 'https://docs.github.com/rest' },
}
const forbidden: ApiAnswer = { status: 403, body: { message: 'Resource not accessible by integration' } }

function invalid(error: { field?: string; code: string; message?: string }): ApiAnswer {
  return { status: 422, body: { message: 'Validation Failed', errors: [{ resource: 'PullRequest', ...error }] } }
}
