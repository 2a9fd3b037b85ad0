import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { BadRequest, OvernightError, reasons, TooMany } from '../../errors.ts'
import type { Firing } from '../../ledger/schema.ts'
import { describeJson } from './describe.ts'
import { EventText, eventOf } from './event-body.ts'
import type { Face } from '../face.ts'
import { fireByCall } from './fire-call.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import type { Asked } from '../access/programs.ts'
import { problemOf, refuseInvalid } from '../refuse.ts'

/** https://platform.claude.com/docs/en/api/claude-code/routines-fire: a caller of that changes only the host. */
export const hostedPath = '/v1/claude_code/'

const Body = z.object({ text: EventText.nullish() })
const Session = z.object({
  type: z.literal('routine_fire'),
  claude_code_session_id: z.string().describe('`session_` and the id of the run.'),
  claude_code_session_url: z.url().describe('The page of the run.'),
})

const retryLaterMs = 60_000

/** Below `/v1/claude_code/routines`. */
export function hostedFireApi(face: Face) {
  const app = new Hono<Asked>()
  app.post(
    '/:id/fire',
    describeJson(
      'Fires a routine as callers of the hosted service do; `Idempotency-Key` works here, too',
      200,
      Session,
    ),
    async (c) => {
      requireHeaders(c)
      const { text } = await bodyOf(c)
      const payload = eventOf({ text: text ?? undefined })
      const routine = nameOf(face, c.req.param('id'))
      const { run, firing } = await fireByCall(face, c, { routine, inputs: {}, payload, callback: undefined })
      if (run === null) throw notStarted(firing, readIdempotencyKey(c))
      return c.json({
        type: 'routine_fire',
        claude_code_session_id: `session_${run}`,
        claude_code_session_url: new URL(`/runs/${run}`, face.publicUrl ?? c.req.url).href,
      } satisfies z.infer<typeof Session>)
    },
  )
  return app
}

/** Theirs are called `trig_…`; a routine of ours by its name, with or without that. */
function nameOf(face: Face, id: string): string {
  const isOurs = face.library.snapshot().routines.some(({ name }) => name === id)
  return isOurs ? id : id.replace(/^trig_/, '')
}

function requireHeaders(c: Context): void {
  const beta = (c.req.header('anthropic-beta') ?? '').split(',').map((part) => part.trim())
  if (!/^\d{4}-\d\d-\d\d$/.test(c.req.header('anthropic-version') ?? ''))
    throw new BadRequest('anthropic-version: header is required', 'send anthropic-version: 2023-06-01')
  if (!beta.some((name) => /^experimental-cc-routine-\d{4}-\d\d-\d\d$/.test(name)))
    throw new BadRequest(
      'anthropic-beta: header with an experimental-cc-routine version is required',
      'send anthropic-beta: experimental-cc-routine-2026-04-01',
    )
}

/** May be missing; what it holds beside the text is passed over, as there. */
async function bodyOf(c: Context): Promise<z.infer<typeof Body>> {
  const written = await c.req.text()
  if (written.trim() === '') return {}
  const read = Body.safeParse(jsonOf(written))
  if (read.success) return read.data
  refuseInvalid({ success: false, error: read.error.issues }, c)
  return {}
}

function jsonOf(written: string): unknown {
  try {
    return JSON.parse(written)
  } catch {
    throw new BadRequest('the request body is not valid JSON', 'send {"text": "…"}, or nothing')
  }
}

/** There is no session to speak of: the caller hears why, in the words there are for it there. */
function notStarted({ routine, reason }: Firing, key: string | undefined): OvernightError {
  const why = reason !== null && reason in reasons ? reasons[reason as keyof typeof reasons] : String(reason)
  const says = `routine ${JSON.stringify(routine)} was not started: ${why}`
  if (reason === 'paused') {
    const hint = 'it goes on once somebody resumes it'
    return new BadRequest(says, key === undefined ? hint : `${hint}; then ${askAnew}`)
  }
  return key === undefined ? new TooMany(says, retryLaterMs) : new KeptAnswer(says)
}

const askAnew = 'send a new Idempotency-Key: this one keeps its answer for ever'

/** Waiting is of no use under the same key, so nobody is told to. */
class KeptAnswer extends OvernightError {
  constructor(message: string) {
    super(message, { code: 'too_many_requests', status: 429, hint: `to try again, ${askAnew}` })
  }
}

const types: Record<number, string> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
}

/** Any error, in the shape of the hosted service. */
export function hostedProblemOf(thrown: unknown): ReturnType<typeof problemOf> {
  const { status, headers, body } = problemOf(thrown)
  const { detail, hint } = body
  const message = typeof hint === 'string' ? `${String(detail)} – ${hint}` : String(detail)
  const error = (type: string) => ({ type: 'error', error: { type, message } })
  const known = types[status]
  if (known !== undefined) return { status, headers, body: error(known) }
  if (status >= 500) return { status: 500, headers, body: error('api_error') }
  return { status: status === 422 ? 422 : 400, headers, body: error('invalid_request_error') }
}
