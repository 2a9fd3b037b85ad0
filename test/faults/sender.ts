import { sign } from '@octokit/webhooks-methods'
import type { ServiceProcess } from '../support/service-process.ts'
import type { Journals } from './compare.ts'

/** Somebody who sends events and calls, keeps a journal of every answer, and gives up on one after this. */
const patienceMs = 15_000

export type Sender = {
  /** True when it was acknowledged. Never rejects. */
  event(to: ServiceProcess, key: string, payload: object): Promise<boolean>
  call(to: ServiceProcess, routine: string, key: string): Promise<boolean>
  journal: Pick<Journals, 'events' | 'calls'>
}

export function createSender(secret: string): Sender {
  const events = new Map<string, number>()
  const calls = new Map<string, string[]>()
  return {
    journal: { events, calls },
    async event(to, key, payload) {
      const body = JSON.stringify(payload)
      events.set(key, events.get(key) ?? 0)
      const headers = {
        'content-type': 'application/json',
        'x-github-event': 'star',
        'x-github-delivery': key,
        'x-hub-signature-256': await sign(secret, body),
      }
      const isTaken = await answered(
        fetch(`${to.url}/hooks/github`, { method: 'POST', headers, body, signal: AbortSignal.timeout(patienceMs) }),
      )
      if (isTaken) events.set(key, events.get(key)! + 1)
      return isTaken
    },
    async call(to, routine, key) {
      calls.set(key, calls.get(key) ?? [])
      const headers = { 'content-type': 'application/json', 'idempotency-key': key }
      const answer = await to
        .fetch(`/v1/routines/${routine}/fire`, {
          method: 'POST',
          headers,
          body: '{}',
          signal: AbortSignal.timeout(patienceMs),
        })
        .then(async (one) => (one.ok ? ((await one.json()) as { run: string }) : undefined))
        .catch(() => undefined)
      if (answer) calls.get(key)!.push(answer.run)
      return answer !== undefined
    },
  }
}

async function answered(request: Promise<Response>): Promise<boolean> {
  return request.then(
    async (answer) => {
      // What was said is of no interest; that all of it came is.
      await answer.text()
      return answer.ok
    },
    () => false,
  )
}
