/**
 * Every error raised on purpose. Two readers:
 * `message` is for whoever asked (safe to send over HTTP, says what is wrong and where);
 * `hint` is for the operator (logs, CLI, local page: what to do).
 * Constructors of subclasses take data and write the sentence themselves. Expected endings of a run are values, never errors.
 */
export type ErrorFacts = {
  /** Stable, snake_case. */
  code: string
  /** HTTP status when a request caused it. */
  status?: number
  /** True when the same act may succeed later without anybody changing anything. */
  retryable?: boolean
  /** The outside told when: trying sooner is of no use. The run gives way until then. */
  retryAfterMs?: number
  hint?: string
  cause?: unknown
}

export class OvernightError extends Error {
  readonly code: string
  readonly status: number
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly hint: string | undefined

  constructor(message: string, facts: ErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.name = new.target.name
    this.code = facts.code
    this.status = facts.status ?? 500
    this.retryable = facts.retryable ?? false
    this.retryAfterMs = facts.retryAfterMs
    this.hint = facts.hint
  }
}

/** Why a run, firing or slot ended as it did. The value is the sentence a person reads. */
export const reasons = {
  agent_exit: 'the agent ended with an error',
  agent_lost: 'the agent was started and its end was never seen',
  no_checkout: 'the repository could not be checked out',
  no_sandbox: 'no sandbox could be started',
  not_available: 'the routine uses something this version cannot do yet',
  no_pull_request: 'the routine starts from a pull request, and there is none',
  fork: 'the pull request is from a fork',
  pull_request_over: 'the pull request was closed or pushed over meanwhile',
  bad_inputs: 'the inputs do not fit the routine',
  policy: 'the gate wants a person to look at the change first',
  too_large: 'the change is larger than can be kept',
  patch_invalid: 'the change could not be read as git objects',
  push_refused: 'the repository refused the branch',
  branch_has_other_commits: 'somebody else committed to the branch',
  forge_unavailable: 'the forge could not be reached',
  forge_denied: 'the forge does not let us in',
  setup: 'a setup step failed, so the agent was not started',
  no_agent: 'the agent program could not be started',
  model_sign_in: 'the model did not accept the key',
  model_refused: 'the model refused what the agent asked',
  model_unavailable: 'the model did not answer',
  connector: 'a connector of the routine cannot be used',
  relay_lost: 'the way of the agent to the outside broke off',
  turn_limit: 'the agent reached its limit of turns',
  budget: 'the agent reached its limit of money',
  time_limit: 'the time limit was reached',
  disk_full: 'the disk is full',
  out_of_memory: 'the agent needed more memory than it may have',
  too_many_processes: 'the agent wanted more processes than it may have',
  out_of_room: 'the agent wrote more than there is room for',
  lost_worker: 'the worker was lost too often',
  internal: 'an unexpected error; the log has it',
  cancelled: 'cancelled by a person',
  denied: 'denied by a person',
  superseded: 'a newer occasion took its place',
  overlap: 'a run of it had not ended yet',
  depth: 'too many routines fired one another before it',
  coalesced: 'joined the run that was already waiting',
  catch_up: 'older than the newest missed slot, and the routine catches up with the last only',
  no_catch_up: 'it passed while nothing ran, and the routine does not catch up',
  catch_up_max: 'more slots were missed than the routine catches up with, and this is one of the oldest',
  max_age: 'older than the routine wants to catch up with',
  unlisted: 'this row stands for every slot missed from here until the next row: too many to list',
  paused: 'the routine was paused',
  rate: 'more runs than its pace allows in that time',
  removed: 'the routine was removed before its slot became a run',
} as const
export type Reason = keyof typeof reasons

export class NotFound extends OvernightError {
  constructor(kind: string, id: string, hint?: string) {
    super(`there is no ${kind} ${JSON.stringify(id)}`, { code: 'not_found', status: 404, ...(hint ? { hint } : {}) })
  }
}

/** The request is understood, and cannot be done in the present state. */
export class Conflict extends OvernightError {
  constructor(message: string, hint?: string) {
    super(message, { code: 'conflict', status: 409, ...(hint ? { hint } : {}) })
  }
}

export class BadRequest extends OvernightError {
  constructor(message: string, hint?: string) {
    super(message, { code: 'bad_request', status: 400, ...(hint ? { hint } : {}) })
  }
}

/** Asked too often; `retryAfterMs` says when it is of use again. */
export class TooMany extends OvernightError {
  constructor(message: string, retryAfterMs: number) {
    super(message, { code: 'too_many_requests', status: 429, retryable: true, retryAfterMs, hint: 'ask less often' })
  }
}

/** Something about the operator's machine or settings; the sentence says what, the hint what to do. */
export class SetupError extends OvernightError {
  constructor(message: string, hint: string, cause?: unknown) {
    super(message, { code: 'setup', status: 503, hint, cause })
  }
}

/**
 * The ledger's server cannot be reached now. Nothing was changed – but for a commit whose answer was lost: that may have
 * happened or not, so whoever repeats must be safe to repeat.
 */
export class LedgerUnreachable extends OvernightError {
  constructor(address: string, cause: unknown) {
    super('the ledger cannot be reached at the moment', {
      code: 'ledger_unreachable',
      status: 503,
      retryable: true,
      hint: `see whether the PostgreSQL runs (${address}); everything goes on by itself once it answers`,
      cause,
    })
  }
}

/** Another process has the data folder: a service, or a command that opened it for a moment. */
export class FolderInUse extends SetupError {
  constructor(folder: string, holder: string, cause: unknown) {
    super(
      `the data folder ${folder} is in use by ${holder}`,
      'stop that process, or give this one its own folder with OVERNIGHT_DATA',
      cause,
    )
  }
}

/** A step of a run failed for a reason that has a name: the run ends with it, unless it is retryable and tries are left. */
export class StepFailed extends OvernightError {
  readonly reason: Reason
  constructor(reason: Reason, message: string, facts: Omit<ErrorFacts, 'code'> = {}) {
    super(message, { code: reason, ...facts })
    this.reason = reason
  }
}

/** An address outside that must not be asked: private, in the open, or another host than the one that was meant. */
export class AddressRefused extends OvernightError {
  constructor(message: string, hint: string) {
    super(message, { code: 'address_refused', status: 400, hint })
  }
}

/** Somebody outside gave no whole answer: no such name, no connection, too late, too large, cut off. */
export class OutsideUnreachable extends OvernightError {
  constructor(host: string, why: string, cause: unknown) {
    super(`${host} gave no answer: ${why}`, { code: 'outside_unreachable', status: 502, retryable: true, cause })
  }
}

/** This worker no longer owns the run: a newer fence was handed out. Its writes are refused; it stops at once. */
export class FenceLost extends OvernightError {
  constructor(runId: string, fence: number) {
    super(`run ${runId}: fence ${fence} is no longer valid`, { code: 'fence_lost', status: 409 })
  }
}

/**
 * What really went wrong: the ledger's query builder wraps every failure in an error whose message holds all values of the
 * query, and those may be prompts.
 */
export function behind(error: unknown): unknown {
  const isWrapper = error instanceof Error && 'query' in error && 'params' in error && error.cause !== undefined
  return isWrapper ? behind(error.cause) : error
}

/** For the log: the sentence, and where it came from unless it was raised on purpose. */
export function logged(error: unknown): { error: string; stack?: string | undefined } {
  const real = behind(error)
  const stack = real instanceof Error && !(real instanceof OvernightError) ? { stack: real.stack } : {}
  return { error: messageOf(real), ...stack }
}

/** The sentence for a log or a person, whatever was thrown. */
export function messageOf(error: unknown): string {
  const real = behind(error)
  return real instanceof Error ? real.message : String(real)
}
