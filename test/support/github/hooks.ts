import { randomUUID } from 'node:crypto'
import { sign } from '@octokit/webhooks-methods'
import type { ApiAnswer } from './api.ts'
import type { Journal } from './journal.ts'

type Attempt = { id: string; guid: string; event: string; at: Date; redelivery: boolean; status: number }

/** Larger than JavaScript counts exactly, as GitHub's are. */
const firstId = 9_007_199_254_740_993_001n

/** The App's webhook: GitHub sends an event once, remembers whether that went well, and sends it again when it is asked. */
export function createHooks(url: string, journal: Pick<Journal, 'write'>) {
  const state = { at: undefined as { url: string; secret: string } | undefined }
  const attempts: Attempt[] = []
  const bodies = new Map<string, { event: string; text: string }>()

  async function send(guid: string, redelivery: boolean): Promise<number> {
    const { event, text } = bodies.get(guid)!
    const status = await post(guid, event, text).catch(() => 0)
    journal.write({ kind: 'hook', guid, event, status })
    attempts.unshift({ id: String(firstId + BigInt(attempts.length)), guid, event, at: new Date(), redelivery, status })
    return status
  }
  async function post(guid: string, event: string, text: string): Promise<number> {
    if (!state.at) return 0
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/stand-in',
      'x-github-delivery': guid,
      'x-github-event': event,
      'x-hub-signature-256': await sign(state.at.secret, text),
    }
    const answer = await fetch(`${state.at.url}/hooks/github`, { method: 'POST', headers, body: text })
    await answer.text()
    return answer.status
  }

  return {
    /** Where the webhook points from now on. */
    point: (at: { url: string; secret: string }) => void (state.at = at),
    async deliver(event: string, payload: object): Promise<{ guid: string; status: number }> {
      const guid = randomUUID()
      bodies.set(guid, { event, text: JSON.stringify(payload) })
      return { guid, status: await send(guid, false) }
    },
    answer(method: string, path: string, query: URLSearchParams): ApiAnswer {
      const again = /^\/app\/hook\/deliveries\/(\d+)\/attempts$/.exec(path)?.[1]
      if (method === 'POST' && again !== undefined) {
        const found = attempts.find(({ id }) => id === again)
        if (!found) return { status: 404, body: { message: 'Not Found' } }
        void send(found.guid, true)
        return { status: 202, body: {} }
      }
      const failed = attempts.filter(({ status }) => query.get('status') !== 'failure' || status < 200 || status > 299)
      const [from, size] = [Number(query.get('cursor') ?? 0), Number(query.get('per_page') ?? 30)]
      const next = `${url}/api/v3/app/hook/deliveries?per_page=${size}&cursor=${from + size}`
      const link = from + size < failed.length ? { link: `<${next}>; rel="next"` } : {}
      return { status: 200, headers: link, body: listed(failed.slice(from, from + size)) }
    },
  }
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
