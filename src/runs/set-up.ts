import { join, relative } from 'node:path'
import type { SetupKey } from '../checkout/setup/index.ts'
import type { EngineUpdate, ToolCall } from '../engines/engine.ts'
import { StepFailed } from '../errors.ts'
import { isChanged } from '../routines/path-glob.ts'
import type { SetupStep } from '../routines/routine.ts'
import type { Sandbox } from '../sandboxes/sandbox.ts'
import type { Prepared } from './prepare.ts'
import { argvOf, failureOf, keptOf, titleOf } from './setup-step.ts'
import type { Task } from './task.ts'

export type SetupGround = Pick<Prepared, 'repository' | 'mirror' | 'checkout'> & {
  sandbox: Sandbox
  home: string | null
  env: Record<string, string>
  signal: AbortSignal
}
type Step = { written: SetupStep; key: SetupKey }

/**
 * What the routine wants done before its agent starts, each step as a call of a tool and a line of the timeline. Throws
 * StepFailed('setup') for the first that fails, and the signal's reason when that fires.
 */
export async function* setUp(task: Task, ground: SetupGround): AsyncGenerator<EngineUpdate> {
  const { held, routine } = task
  const { sandbox } = ground
  if (routine.setup.length === 0) return
  // On record also when the agent is never started.
  await held.record({ sandbox: sandbox.name, notes: sandbox.notes })
  const keys = await keysOf(task, ground)
  for (const [index, written] of routine.setup.entries()) {
    const call = { toolCallId: `setup-${index + 1}`, title: `setup: ${titleOf(written)}`, kind: 'execute' as const }
    yield { sessionUpdate: 'tool_call', status: 'in_progress', ...call, content: [] }
    const since = performance.now()
    const { failure, said, told } = await take(task, { written, key: keys[index] ?? null }, ground)
    const status = failure === undefined ? 'completed' : 'failed'
    yield { sessionUpdate: 'tool_call_update', status, ...call, content: contentOf([failure ?? '', said]) }
    if (failure !== undefined) throw new StepFailed('setup', `setup: ${titleOf(written)} ${failure}`)
    await held.tell({
      kind: 'note',
      data: { text: `setup: ${told.what} (${[secondsSince(since), ...told.more].join(', ')})` },
    })
  }
}

async function keysOf({ routine, tools }: Task, { sandbox, repository, mirror, checkout }: SetupGround) {
  const steps = routine.setup.map((step) => ({
    argv: argvOf(step),
    keep: keptOf(step),
    decides: (path: string) => isChanged(step.when, path),
  }))
  const ground = [repository.forge, repository.name, sandbox.name, await sandbox.platform()]
  return tools.setups.keysOf({
    steps,
    ground,
    base: { gitDir: checkout.pull?.gitDir ?? mirror.gitDir, commit: checkout.base.commit },
  })
}

type Taken = { failure?: string; said: string; told: { what: string; more: string[] } }

/** Puts back what was kept, or else runs the command and keeps what it made. */
async function take(task: Task, { written, key }: Step, ground: SetupGround): Promise<Taken> {
  const { setups } = task.tools
  const title = titleOf(written)
  const keeping = key && 'key' in key ? { ...placeOf(task, written, ground), key: key.key } : undefined
  const back = keeping && (await setups.putBack(keeping))
  if (back && 'bytes' in back)
    return {
      said: 'what was kept is used',
      told: { what: `kept result of ${title} used`, more: [megabytes(back.bytes)] },
    }
  const { failure, said } = await run(task, written, ground)
  const more = back ? [`what was kept could not be used: ${back.why}`] : []
  if (failure !== undefined) return { failure, said, told: { what: title, more } }
  // What somebody proposes may use what the base has made, and leaves nothing for others.
  const mayKeep = ground.checkout.pull === undefined
  const kept = keeping && mayKeep ? await setups.keep(keeping) : key && 'why' in key ? key : undefined
  if (kept) more.push('why' in kept ? `not kept: ${kept.why}` : `${megabytes(kept.bytes)} kept`)
  return { said, told: { what: title, more } }
}

function placeOf({ folder }: Task, written: SetupStep, { sandbox, checkout, home, signal }: SetupGround) {
  const roots = keptOf(written).map((path) =>
    path.startsWith('~/') ? join(home ?? folder, path.slice(2)) : join(checkout.tree, path),
  )
  return { sandbox, folder, cwd: checkout.tree, signal, roots: roots.map((path) => relative(folder, path)) }
}

async function run(
  { tools }: Task,
  written: SetupStep,
  { sandbox, checkout, env, signal }: SetupGround,
): Promise<{ failure?: string; said: string }> {
  const command = { sandbox, cwd: checkout.tree, env, signal, argv: argvOf(written) }
  const ran = await tools.setups.run({ ...command, redact: () => tools.redaction.stream() }).catch(notThere)
  if ('failure' in ran) return ran
  const { exit, said } = ran
  if (exit.cause === 'sandbox_lost')
    throw new StepFailed('no_sandbox', 'the sandbox went away during setup', { retryable: true })
  return exit.code === 0 ? { said } : { failure: failureOf(exit, said), said }
}

/** A program that is not there is a fault of the step, not of the agent. */
function notThere(error: unknown): { failure: string; said: string } {
  if (!(error instanceof StepFailed) || error.reason !== 'no_agent') throw error
  return { failure: `could not be started: ${[error.message, error.hint].join(' – ')}`, said: '' }
}

function secondsSince(since: number): string {
  const seconds = (performance.now() - since) / 1000
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
}

function megabytes(bytes: number): string {
  const size = bytes / 1024 ** 2
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} MB`
}

function contentOf(texts: readonly string[]): ToolCall['content'] {
  const text = texts.filter((text) => text !== '').join('\n')
  return text === '' ? [] : [{ type: 'content', content: { type: 'text', text } }]
}
