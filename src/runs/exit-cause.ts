import type { AgentFailure, Stopped } from '../engines/engine.ts'
import { reasons, type Reason } from '../errors.ts'
import type { ExitCause } from '../sandboxes/sandbox.ts'

const reasonOf: Readonly<Record<ExitCause, Reason>> = {
  out_of_memory: 'out_of_memory',
  too_many_processes: 'too_many_processes',
  out_of_room: 'out_of_room',
  sandbox_lost: 'no_sandbox',
}

/** Why an agent that ended by itself failed: what it says itself, else what its sandbox saw. */
export function failureOf({ because, code, cause, failure }: Stopped): AgentFailure | undefined {
  if (failure !== undefined || cause === undefined || because !== 'exit' || code === 0) return failure
  const reason = reasonOf[cause]
  // Like a worker that was lost: the agent begins again on a copy of its own.
  const mayRepeat = cause === 'sandbox_lost'
  return {
    reason,
    message: mayRepeat ? 'the sandbox went away while the agent was at work' : reasons[reason],
    mayRepeat,
  }
}
