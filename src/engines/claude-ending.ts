import type { Reason } from '../errors.ts'
import type { Result } from './claude-messages.ts'
import type { AgentFailure } from './engine.ts'

export type Seen = {
  /** The last one; with helpers at work there are several. */
  result: Result | undefined
  /** It had asked for a tool by then. */
  acted: boolean
}

/**
 * Why it failed; undefined when it did not. `subtype` says "success" of a model that answered nothing, so only `is_error`, the
 * status and `terminal_reason` are looked at. `code` is the exit code, null after a signal.
 */
export function failureOf({ result, acted }: Seen, code: number | null): AgentFailure | undefined {
  if (!result) {
    // Killed, or crashed: the exit says how. An end in peace without a word would pass for a success.
    const message = 'the agent ended without a result'
    return code === 0 ? { reason: 'agent_exit', message, mayRepeat: false } : undefined
  }
  if (!result.is_error) return undefined
  const reason = reasonOf(result)
  const said = sentenceOf(result)
  return { reason, message: said, mayRepeat: reason === 'model_unavailable' && !acted }
}

function reasonOf({ terminal_reason: end, api_error_status: status }: Result): Reason {
  if (end === 'max_turns') return 'turn_limit'
  if (end === 'budget_exhausted') return 'budget'
  if (status === 401 || status === 403) return 'model_sign_in'
  if (typeof status === 'number' && status >= 400 && status < 500 && status !== 408 && status !== 429)
    return 'model_refused'
  return typeof status === 'number' || end === 'api_error' ? 'model_unavailable' : 'agent_exit'
}

function sentenceOf({ result, errors, terminal_reason: end }: Result): string {
  const said = (result ?? '').trim() || (errors ?? []).join('; ').trim() || `it ended: ${end ?? 'unknown'}`
  return said.replaceAll(/\s+/g, ' ').slice(0, 300)
}
