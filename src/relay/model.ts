import type { IncomingMessage, ServerResponse } from 'node:http'
import { StepFailed } from '../errors.ts'
import { secretOf, type Upstream } from './credential.ts'
import { shown } from './egress/authority.ts'
import type { Journal } from './journal.ts'
import { readRequest } from './read-request.ts'
import type { BodyRoom } from './receive.ts'
import { refuse, type Refusal } from './refusal.ts'
import { bringsToken } from './token.ts'
import { openUpstream } from './upstream.ts'
import type { UsageReport } from './usage.ts'

export type ModelOptions = {
  upstream: Upstream
  /** Called at the end of every answer that told its usage, an interrupted one too. */
  onUsage(report: UsageReport): void
  /** How long a connection may take, and how long the model may be silent in the middle of a request. */
  connectMs?: number
  silentMs?: number
}

const inferencePaths: readonly string[] = ['/v1/messages', '/v1/messages/count_tokens']

/** The way of a run to its model. The real credential is added here; no sandbox ever holds it. Throws StepFailed('model_sign_in') when none is configured. */
export function createModel(
  options: ModelOptions,
  { token, journal }: { token: string; journal: Pick<Journal, 'refused'> },
) {
  if (secretOf(options.upstream) === undefined) {
    throw new StepFailed('model_sign_in', 'there is no key for the model', {
      hint: 'set ANTHROPIC_API_KEY, or CLAUDE_CODE_OAUTH_TOKEN (`claude setup-token` makes one), and start the service again',
    })
  }
  const upstream = openUpstream(options)
  const room: BodyRoom = { bytes: 0 }

  function refuseTold(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    journal.refused(shown(request.url?.split('?')[0] ?? ''), `was answered: ${refusal.message}`)
    refuse(response, refusal)
  }
  return {
    async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const refusal = refusalOf(request, token)
      if (refusal) return refuseTold(request, response, refusal)
      const body = await readRequest(request, room)
      if ('status' in body) return refuseTold(request, response, body)
      try {
        await upstream.ask({ request, response, body: body.text })
      } finally {
        body.release()
      }
    },
    close: () => upstream.close(),
  }
}

/** What is not for the model, decided by the first line and the token. */
function refusalOf({ method = '', url = '', headers }: IncomingMessage, token: string): Refusal | undefined {
  if (!bringsToken(headers, token)) return { status: 401, message: 'this is not the token of this run' }
  if (!inferencePaths.includes(url.split('?')[0] ?? ''))
    return { status: 404, message: 'only the model is behind this address' }
  return method === 'POST' ? undefined : { status: 405, message: 'only POST is answered here' }
}
