import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { HTTPException } from 'hono/http-exception'
import { BadRequest, behind, OvernightError } from '../errors.ts'
import type { Inputs } from '../routines/routine.ts'
import { inPlainWords } from './plain-words.ts'

const retryAfterSeconds = 5

/** RFC 9457 for any error; what is not ours says nothing about itself. */
export function problemOf(thrown: unknown): {
  status: number
  headers: Record<string, string>
  body: Record<string, unknown>
} {
  const error = behind(thrown)
  // The framework's own refusals, such as a body that is not JSON.
  if (error instanceof HTTPException && error.status === 400)
    return problemOf(new BadRequest(error.message, 'see /openapi.json'))
  if (!(error instanceof OvernightError)) {
    return {
      status: 500,
      headers: {},
      body: { type: 'about:blank', title: 'internal', status: 500, detail: 'an unexpected error; the log has it' },
    }
  }
  const { status, code, message, hint } = error
  return {
    status,
    headers: {
      ...([429, 503].includes(status) && error.retryable ? { 'retry-after': retryAfter(error) } : {}),
      // What of the request is still to come nobody waits for. https://www.rfc-editor.org/rfc/rfc9110#name-408-request-timeout
      ...(status === 408 ? { connection: 'close' } : {}),
    },
    body: {
      type: `https://overnight.invalid/errors/${code}`,
      title: code,
      status,
      detail: message,
      ...(hint ? { hint } : {}),
    },
  }
}

const retryAfter = ({ retryAfterMs }: OvernightError) =>
  String(retryAfterMs === undefined ? retryAfterSeconds : Math.ceil(retryAfterMs / 1000))

type Issue = { message: string; path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined }
type Validated = { success: true } | { success: false; error: readonly Issue[] }

/** For hono-openapi's validators: the first thing that is wrong, as one sentence. */
export function refuseInvalid(result: Validated, _c: Context): void {
  if (result.success) return
  const issue = result.error[0]
  const path = (issue?.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
  throw new BadRequest(
    `${path === '' ? 'the request' : path}: ${inPlainWords(issue?.message ?? 'is not valid')}`,
    'see /openapi.json for what is expected',
  )
}

export function refuseBadInputs(read: { inputs: Inputs } | { problems: string[] }): Inputs {
  if ('inputs' in read) return read.inputs
  throw new BadRequest(read.problems.join('; '), 'correct the inputs')
}

export class BodyTooLarge extends OvernightError {
  constructor(limitKb: number) {
    super(`the body is over ${limitKb} KB`, {
      code: 'too_large',
      status: 413,
      hint: 'send less; a run reads large data from its repository',
    })
  }
}

class NotJson extends OvernightError {
  constructor(type: string | undefined) {
    super(`the body is ${type === undefined ? 'of no type' : JSON.stringify(type)}, not JSON`, {
      code: 'unsupported_media_type',
      status: 415,
      hint: 'send content-type: application/json',
    })
  }
}

/** A body of another type would be passed over in silence, and the request acted on as if it had said nothing. */
export const requireJsonBody = createMiddleware(async (c, next) => {
  const type = c.req.header('content-type')
  const isJson = /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type ?? '')
  if (!isJson && !['GET', 'HEAD'].includes(c.req.method) && (await c.req.text()) !== '') throw new NotJson(type)
  await next()
})
