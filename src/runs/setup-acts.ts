import { join, relative } from 'node:path'
import type { SetupKey } from '../checkout/setup/index.ts'
import { StepFailed } from '../errors.ts'
import type { SetupStep } from '../routines/routine.ts'
import type { Sandbox } from '../sandboxes/sandbox.ts'
import type { Prepared } from './prepare.ts'
import { argvOf, failureOf, keptOf } from './setup-step.ts'
import type { Task } from './task.ts'

export type SetupGround = Pick<Prepared, 'repository' | 'mirror' | 'checkout' | 'trusted'> & {
  sandbox: Sandbox
  home: string | null
  env: Record<string, string>
  signal: AbortSignal
}
/** `failure`: how it failed, as the rest of a sentence. */
export type Taken = { failure?: string; said: string }

/** What may be done with one step in the sandbox of this run. Each rejects with the signal's reason when that fires. */
export function createSetupActs(
  { tools, folder }: Task,
  { sandbox, checkout, trusted, home, env, signal }: SetupGround,
) {
  const { setups, redaction } = tools
  const place = { sandbox, folder, cwd: checkout.tree, signal }
  const rootsOf = (step: SetupStep) =>
    keptOf(step).map((path) =>
      relative(folder, path.startsWith('~/') ? join(home ?? folder, path.slice(2)) : join(checkout.tree, path)),
    )

  return {
    async putBack(step: SetupStep, key: SetupKey) {
      return key && 'key' in key ? setups.putBack({ ...place, ...key, roots: rootsOf(step) }) : undefined
    },

    async run(step: SetupStep): Promise<Taken> {
      const command = { ...place, env, argv: argvOf(step), redact: () => redaction.stream() }
      const ran = await setups.run(command).catch(notThere)
      if ('failure' in ran) return ran
      const { exit, said } = ran
      if (exit.cause === 'sandbox_lost')
        throw new StepFailed('no_sandbox', 'the sandbox went away during setup', { retryable: true })
      return exit.code === 0 ? { said } : { failure: failureOf(exit, said), said }
    },

    async keep(step: SetupStep, key: SetupKey) {
      if (key === null || 'why' in key) return key
      // What somebody proposes may use what the base has made, and leaves nothing for others.
      return trusted ? setups.keep({ ...place, ...key, roots: rootsOf(step) }) : null
    },
  }
}

/** A program that is not there is a fault of the step, not of the agent. */
function notThere(error: unknown): Required<Taken> {
  if (!(error instanceof StepFailed) || error.reason !== 'no_agent') throw error
  return { failure: `could not be started: ${[error.message, error.hint].join(' – ')}`, said: '' }
}
