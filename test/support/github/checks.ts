import type { ApiAnswer, ApiRequest } from './api.ts'
import { mayAct } from './tokens.ts'

type Output = { title: string; summary: string; annotations?: { path: string; start_line: number; message: string }[] }
type CheckRun = {
  id: number
  name: string
  head_sha: string
  status: string
  conclusion: string | null
  external_id: string
  output: Output
}
type Status = { id: number; context: string; state: string; description: string | null }

/** https://docs.github.com/en/rest/checks/runs#create-a-check-run */
const annotationsAtOnce = 50

/** Check runs, which are for Apps alone, and statuses of commits. `isCommit`: has the repository this commit? */
export function createChecks(isCommit: (name: string, sha: string) => boolean) {
  const runs: (CheckRun & { repository: string })[] = []
  const statuses: (Status & { repository: string; sha: string })[] = []
  const ofCommit = (name: string, sha: string) =>
    runs.filter(({ repository, head_sha: head }) => repository === name && head === sha).toReversed()
  const statusesOf = (name: string, sha: string) =>
    statuses.filter((status) => status.repository === name && status.sha === sha).toReversed()

  function createRun(name: string, body: Record<string, unknown>): ApiAnswer {
    const run = body as Omit<CheckRun, 'id' | 'conclusion'> & { conclusion?: string }
    if (!isCommit(name, run.head_sha)) return invalid(`No commit found for SHA: ${run.head_sha}`)
    if ((run.output.annotations ?? []).length > annotationsAtOnce)
      return invalid(`annotations: no more than ${annotationsAtOnce} items`)
    const made = { ...run, conclusion: run.conclusion ?? null, id: runs.length + 1, repository: name }
    runs.push(made)
    return { status: 201, body: made }
  }

  function createStatus(name: string, sha: string, body: Record<string, unknown>): ApiAnswer {
    if (!isCommit(name, sha)) return invalid(`No commit found for SHA: ${sha}`)
    const given = body as Omit<Status, 'id'>
    if ((given.description ?? '').length > 140) return invalid('description is too long (maximum is 140 characters)')
    const made = { ...given, id: statuses.length + 1, repository: name, sha }
    statuses.push(made)
    return { status: 201, body: made }
  }

  type Act = { scope: 'checks' | 'statuses'; act: () => ApiAnswer }
  function actOf({ method, query, body = {} }: ApiRequest, name: string, rest: string): Act | undefined {
    const [, commit = '', listed] = /^\/commits\/([^/]+)\/(check-runs|statuses)$/.exec(rest) ?? []
    const sha = /^\/statuses\/([^/]+)$/.exec(rest)?.[1]
    if (`${method} ${rest}` === 'POST /check-runs') return { scope: 'checks', act: () => createRun(name, body) }
    if (sha !== undefined) return { scope: 'statuses', act: () => createStatus(name, sha, body) }
    if (listed === 'statuses')
      return { scope: 'statuses', act: () => ({ status: 200, body: statusesOf(name, commit) }) }
    if (listed === undefined) return undefined
    const found = ofCommit(name, commit).filter((run) => run.name === (query.get('check_name') ?? run.name))
    return { scope: 'checks', act: () => ({ status: 200, body: { total_count: found.length, check_runs: found } }) }
  }

  return {
    checkRuns: ofCommit,
    statuses: statusesOf,
    /** undefined: it is about something else. */
    answer(request: ApiRequest, name: string, rest: string): ApiAnswer | undefined {
      const asked = actOf(request, name, rest)
      if (!asked) return undefined
      const { token, method } = request
      const isPerson = typeof token === 'object' && token.permissions === undefined
      if (token === 'app' || (isPerson && `${method} ${rest}` === 'POST /check-runs')) return forbidden
      return mayAct(token, asked.scope, method === 'POST' ? 'write' : 'read') ? asked.act() : forbidden
    },
  }
}

const forbidden: ApiAnswer = { status: 403, body: { message: 'Resource not accessible by integration' } }
const invalid = (message: string): ApiAnswer => ({ status: 422, body: { message } })
