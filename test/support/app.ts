import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { openService, type Service } from '../../src/service.ts'
import type { Place } from './place.ts'
import { untilSettled } from './service-process.ts'

type Answer = { status: number; type: string; headers: Headers; text: string; json: Record<string, unknown> }
export type Asker = {
  service: Service
  /** A request as a program sends it: with the token, JSON if there is a body. */
  ask(
    path: string,
    init?: { method?: string; body?: unknown; headers?: Record<string, string>; token?: string | null },
  ): Promise<Answer>
  settled(run: string): ReturnType<typeof untilSettled>
} & AsyncDisposable

/** The whole service in this process, asked without a port. */
export async function openApp(place: Place, env: Record<string, string> = {}): Promise<Asker> {
  const service = await openService(readConfig({ ...place.env, ...env }, place.folder), { log: createLog('silent') })
  const request = (path: string, init: RequestInit = {}) =>
    Promise.resolve(
      service.app.request(`http://127.0.0.1:0${path}`, {
        ...init,
        headers: { host: '127.0.0.1:0', authorization: `Bearer ${service.token}`, ...(init.headers as object) },
      }),
    )
  return {
    service,
    async ask(path, { method = 'GET', body, headers = {}, token = service.token } = {}) {
      const answer = await service.app.request(`http://127.0.0.1:0${path}`, {
        method,
        headers: {
          host: '127.0.0.1:0',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      return read(answer)
    },
    settled: (run) =>
      untilSettled({ fetch: request, get: async (path) => (await (await request(path)).json()) as never }, run),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  }
}

async function read(answer: Response): Promise<Answer> {
  const text = await answer.text()
  const type = answer.headers.get('content-type') ?? ''
  const json = type.includes('json') ? (JSON.parse(text) as Record<string, unknown>) : {}
  return { status: answer.status, type, headers: answer.headers, text, json }
}
