import type { EngineUpdate, ToolCall } from '../engines/engine.ts'
import { StepFailed } from '../errors.ts'
import type { SetupStep } from '../routines/routine.ts'
import type { Sandbox } from '../sandboxes/sandbox.ts'
import { argvOf, failureOf, titleOf } from './setup-step.ts'
import type { Task } from './task.ts'

export type SetupGround = {
  sandbox: Sandbox
  /** The checkout. */
  cwd: string
  env: Record<string, string>
  signal: AbortSignal
}

/**
 * What the routine wants done before its agent starts, each step as a call of a tool and a line of the timeline. Throws
 * StepFailed('setup') for the first that fails, and the signal's reason when that fires.
 */
export async function* setUp(task: Task, ground: SetupGround): AsyncGenerator<EngineUpdate> {
  const { held, routine } = task
  if (routine.setup.length === 0) return
  // On record also when the agent is never started.
  await held.record({ sandbox: ground.sandbox.name, notes: ground.sandbox.notes })
  for (const [index, step] of routine.setup.entries()) {
    const call = { toolCallId: `setup-${index + 1}`, title: `setup: ${titleOf(step)}`, kind: 'execute' as const }
    yield { sessionUpdate: 'tool_call', status: 'in_progress', ...call, content: [] }
    const { failure, said } = await take(task, step, ground)
    const status = failure === undefined ? 'completed' : 'failed'
    yield { sessionUpdate: 'tool_call_update', status, ...call, content: contentOf([failure ?? '', said]) }
    if (failure !== undefined) throw new StepFailed('setup', `setup: ${titleOf(step)} ${failure}`)
  }
}

type Taken = { failure?: string; said: string }

async function take({ held, tools }: Task, step: SetupStep, ground: SetupGround): Promise<Taken> {
  const since = performance.now()
  const command = { ...ground, argv: argvOf(step), redact: () => tools.redaction.stream() }
  const ran = await tools.runSetupCommand(command).catch(notThere)
  if ('failure' in ran) return ran
  const { exit, said } = ran
  if (exit.cause === 'sandbox_lost')
    throw new StepFailed('no_sandbox', 'the sandbox went away during setup', { retryable: true })
  if (exit.code !== 0) return { failure: failureOf(exit, said), said }
  await held.tell({ kind: 'note', data: { text: `setup: ${titleOf(step)} (${secondsSince(since)})` } })
  return { said }
}

/** A program that is not there is a fault of the step, not of the agent. */
function notThere(error: unknown): Required<Taken> {
  if (!(error instanceof StepFailed) || error.reason !== 'no_agent') throw error
  return { failure: `could not be started: ${[error.message, error.hint].join(' – ')}`, said: '' }
}

function secondsSince(since: number): string {
  const seconds = (performance.now() - since) / 1000
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
}

function contentOf(texts: readonly string[]): ToolCall['content'] {
  const text = texts.filter((text) => text !== '').join('\n')
  return text === '' ? [] : [{ type: 'content', content: { type: 'text', text } }]
}
