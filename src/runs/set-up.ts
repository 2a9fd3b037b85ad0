import type { SetupKey } from '../checkout/setup/index.ts'
import type { EngineUpdate, ToolCall } from '../engines/engine.ts'
import { StepFailed } from '../errors.ts'
import { isChanged } from '../routines/path-glob.ts'
import type { Routine, SetupStep } from '../routines/routine.ts'
import { createSetupActs, type SetupGround, type Taken } from './setup-acts.ts'
import { argvOf, keptOf, megabytes, secondsSince, titleOf } from './setup-step.ts'
import type { Task } from './task.ts'

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
  const acts = createSetupActs(task, ground)
  for (const [index, step] of routine.setup.entries()) {
    const call = { toolCallId: `setup-${index + 1}`, title: `setup: ${titleOf(step)}`, kind: 'execute' as const }
    yield { sessionUpdate: 'tool_call', status: 'in_progress', ...call, content: [] }
    const since = performance.now()
    const { failure, said, told } = await take(acts, step, keys[index] ?? null)
    const status = failure === undefined ? 'completed' : 'failed'
    yield { sessionUpdate: 'tool_call_update', status, ...call, content: contentOf([failure ?? '', said]) }
    if (failure !== undefined) throw new StepFailed('setup', `${titleOf(step)} ${failure}`)
    const more = [secondsSince(since), ...told.more].join(', ')
    await held.tell({ kind: 'note', data: { text: `setup: ${told.what} (${more})` } })
  }
}

type Asked = Pick<SetupGround, 'sandbox' | 'repository' | 'mirror' | 'checkout'>

async function keysOf({ routine, tools }: Task, { sandbox, repository, mirror, checkout }: Asked): Promise<SetupKey[]> {
  if (routine.setup.every(({ keep }) => keep.length === 0)) return []
  // Who may push to another branch than this decides nothing here.
  const branch = routine.base ?? mirror.defaultBranch ?? ''
  const ground = [repository.forge, repository.name, branch, sandbox.name, await sandbox.platform()]
  const base = { gitDir: checkout.pull?.gitDir ?? mirror.gitDir, commit: checkout.base.commit }
  return tools.setups.keysOf({ steps: routine.setup.map(keyedStep), ground, base })
}

const keyedStep = (step: Routine['setup'][number]) => ({
  argv: argvOf(step),
  keep: keptOf(step),
  decides: (path: string) => isChanged(step.when, path),
})

type Told = Taken & { told: { what: string; more: string[] } }

/** Puts back what was kept, or else runs the command and keeps what it made. */
async function take(acts: ReturnType<typeof createSetupActs>, step: SetupStep, key: SetupKey): Promise<Told> {
  const what = titleOf(step)
  const back = await acts.putBack(step, key)
  if (back && 'bytes' in back) {
    const told = { what: `kept result of ${what} used`, more: [megabytes(back.bytes)] }
    return { said: 'what was kept is used', told }
  }
  const more = back ? [`what was kept could not be used: ${back.why}`] : []
  const taken = await acts.run(step)
  if (taken.failure !== undefined) return { ...taken, told: { what, more } }
  const kept = await acts.keep(step, key)
  if (kept) more.push('why' in kept ? `not kept: ${kept.why}` : `${megabytes(kept.bytes)} kept`)
  return { ...taken, told: { what, more } }
}

function contentOf(texts: readonly string[]): ToolCall['content'] {
  const text = texts.filter((text) => text !== '').join('\n')
  return text === '' ? [] : [{ type: 'content', content: { type: 'text', text } }]
}
