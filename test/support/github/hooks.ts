import { randomUUID } from 'node:crypto'
import { sign } from '@octokit/webhooks-methods'
import type { ApiAnswer, ApiRequest } from './api.ts'
import type { Journal } from './journal.ts'

type Attempt = { id: string; guid: string; event: string; at: Date; redelivery: boolean; status: number }
/** `repository`: one of its own settings instead of the App's. */
export type HookAt = { url: string; secret: string; repository?: string }
type Hook = { id: number; at: HookAt; attempts: Attempt[] }
type HooksOptions = { url: string; journal: Pick<Journal, 'write'>; isRepository(name: string): boolean }
type Asked = Pick<ApiRequest, 'method' | 'path' | 'query' | 'token'>

/** Larger than JavaScript counts exactly, as GitHub's are. */
const firstId = 9_007_199_254_740_993_001n

/** Webhooks, of the App and of repositories: GitHub sends an event once, remembers whether that went well, and sends it again when asked. */
export function createHooks({ url, journal, isRepository }: HooksOptions) {
  const state = { attempts: 0 }
  const ofApp = 'the App'
  const hooks = new Map<string, Hook>()
  const bodies = new Map<string, { event: string; text: string }>()

  async function send(hook: Hook, guid: string, redelivery: boolean): Promise<number> {
    const { event, text } = bodies.get(guid)!
    const status = await post(hook.at, guid, { event, text }).catch(() => 0)
    journal.write({ kind: 'hook', guid, event, status })
    const id = String(firstId + BigInt(state.attempts++))
    hook.attempts.unshift({ id, guid, event, at: new Date(), redelivery, status })
    return status
  }
  async function post(at: HookAt, guid: string, { event, text }: { event: string; text: string }): Promise<number> {
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/stand-in',
      'x-github-delivery': guid,
      'x-github-event': event,
      'x-hub-signature-256': await sign(at.secret, text),
    }
    const answer = await fetch(`${at.url}/hooks/github`, { method: 'POST', headers, body: text })
    await answer.text()
    return answer.status
  }

  /** What is asked about the deliveries of one webhook; `path` is what comes after `/deliveries`. */
  function deliveries(hook: Hook, { method, path, query }: Omit<Asked, 'token'>, place: string): ApiAnswer {
    const again = /^\/(\d+)\/attempts$/.exec(path)?.[1]
    if (method === 'POST' && again !== undefined) {
      const found = hook.attempts.find(({ id }) => id === again)
      if (!found) return notFound
      void send(hook, found.guid, true)
      return { status: 202, body: {} }
    }
    const failed = hook.attempts.filter(
      ({ status }) => query.get('status') !== 'failure' || status < 200 || status > 299,
    )
    const [from, size] = [Number(query.get('cursor') ?? 0), Number(query.get('per_page') ?? 30)]
    const next = `${url}/api/v3${place}?per_page=${size}&cursor=${from + size}`
    const link = from + size < failed.length ? { link: `<${next}>; rel="next"` } : {}
    return { status: 200, headers: link, body: listed(failed.slice(from, from + size)) }
  }

  function answerApp({ path, token, ...more }: Asked): ApiAnswer {
    if (token !== 'app') return { status: 401, body: { message: 'A JSON web token could not be decoded' } }
    const hook = hooks.get(ofApp)
    if (path === '/app/hook/config') return hook ? { status: 200, body: configOf(hook) } : notFound
    const place = '/app/hook/deliveries'
    return hook ? deliveries(hook, { ...more, path: path.slice(place.length) }, place) : notFound
  }

  /** Only who administers a repository sees its webhooks; a fine-grained token is told that it lacks the permission, others nothing. */
  function answerRepository(name: string, { path, token, ...more }: Asked): ApiAnswer {
    if (typeof token !== 'object' || !isRepository(name)) return notFound
    if (token.permissions !== undefined) return lacks('integration')
    if (!token.mayWrite) return token.value.startsWith('github_pat_') ? lacks('personal access token') : notFound
    const hook = hooks.get(name)
    const place = `/repos/${name}/hooks`
    if (path === place) return { status: 200, body: hook ? [describe(hook)] : [] }
    const [, id, rest = ''] = /^\/(\d+)\/deliveries(.*)$/.exec(path.slice(place.length)) ?? []
    if (!hook || Number(id) !== hook.id) return notFound
    return deliveries(hook, { ...more, path: rest }, `${place}/${id}/deliveries`)
  }

  return {
    /** Where a webhook points from now on. */
    point(at: HookAt): void {
      const name = at.repository ?? ofApp
      const before = hooks.get(name)
      hooks.set(name, { id: before?.id ?? hooks.size + 1, at, attempts: before?.attempts ?? [] })
    },
    /** An event of a repository goes to the webhook of its settings, where it has one. */
    async deliver(event: string, payload: { repository?: { full_name: string } }) {
      const guid = randomUUID()
      bodies.set(guid, { event, text: JSON.stringify(payload) })
      const hook = hooks.get(payload.repository?.full_name ?? '') ?? hooks.get(ofApp)
      return { guid, status: hook ? await send(hook, guid, false) : 0 }
    },
    /** The same delivery once more, by GitHub itself or by somebody who presses the button. */
    async redeliver(guid: string): Promise<number> {
      const hook = [...hooks.values()].find(({ attempts }) => attempts.some((attempt) => attempt.guid === guid))
      return hook ? send(hook, guid, true) : 0
    },
    /** undefined: it is about something else. */
    answer(asked: Asked): ApiAnswer | undefined {
      if (/^\/app\/hook\/(config|deliveries)/.test(asked.path)) return answerApp(asked)
      const name = /^\/repos\/([^/]+\/[^/]+)\/hooks(\/|$)/.exec(asked.path)?.[1]
      return name === undefined ? undefined : answerRepository(name, asked)
    },
  }
}

const notFound: ApiAnswer = { status: 404, body: { message: 'Not Found' } }
const lacks = (what: string): ApiAnswer => ({
  status: 403,
  body: { message: `Resource not accessible by ${what}` },
})
const configOf = ({ at }: Hook) => {
  return { url: `${at.url}/hooks/github`, content_type: 'json', insecure_ssl: '0', secret: '********' }
}
const describe = (hook: Hook) => {
  return { id: hook.id, type: 'Repository', name: 'web', active: true, events: ['*'], config: configOf(hook) }
}

/** As text, because the ids are no numbers to JavaScript. */
function listed(page: readonly Attempt[]): string {
  const items = page.map(({ id, guid, event, at, redelivery, status }) => {
    const more = {
      guid,
      event,
      redelivery,
      status_code: status,
      status: status === 202 ? 'OK' : 'failed',
      duration: 0.1,
    }
    return JSON.stringify({ id: `#${id}`, delivered_at: at.toISOString(), action: null, ...more }).replace(
      /"#(\d+)"/,
      '$1',
    )
  })
  return `[${items.join(',')}]`
}
