import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

/** A request that is the same each time but for its delivery's name. */
export type Sample = { url: string; body: Buffer; headers: Record<string, string> }
/** `status` 0: the connection ended without an answer. */
export type Answered = { status: number; ms: number; retryAfter: boolean }

/** Sends events as GitHub does: over connections that are kept, each under a name of its own. */
export function openLoad({ url, body, headers }: Sample, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' })
  const send = (due: number) =>
    new Promise<Answered>((resolve) => {
      const all = { ...headers, 'content-length': body.length, 'x-github-delivery': randomUUID() }
      const asked = request(`${url}/hooks/github`, { method: 'POST', agent, headers: all }, (answer) => {
        answer.resume().on('end', () => {
          const retryAfter = answer.headers['retry-after'] !== undefined
          resolve({ status: answer.statusCode ?? 0, ms: performance.now() - due, retryAfter })
        })
      })
      asked.on('error', () => resolve({ status: 0, ms: performance.now() - due, retryAfter: false })).end(body)
    })

  return {
    /** On schedule, whatever becomes of those before: who is late because others were slow counts as late. */
    async open(perSecond: number, seconds: number): Promise<Answered[]> {
      const begin = performance.now()
      const answers: Promise<Answered>[] = []
      while (answers.length < perSecond * seconds) {
        const due = begin + (answers.length * 1000) / perSecond
        const ahead = due - performance.now()
        if (ahead > 1) await delay(ahead)
        answers.push(send(due))
      }
      return Promise.all(answers)
    },
    /** All at once: as fast as they are taken. */
    burst(many: number): Promise<Answered[]> {
      const begin = performance.now()
      return Promise.all(Array.from({ length: many }, () => send(begin)))
    },
    /** So many at any time, for so long: what is sustained. */
    async closed(atOnce: number, seconds: number): Promise<Answered[]> {
      const end = performance.now() + seconds * 1000
      const answers: Answered[] = []
      const one = async () => {
        while (performance.now() < end) answers.push(await send(performance.now()))
      }
      await Promise.all(Array.from({ length: atOnce }, one))
      return answers
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}

export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) throw new Error('there is no percentile of nothing')
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor((values.length * percent) / 100))]!
}
