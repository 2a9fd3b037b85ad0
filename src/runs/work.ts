import { dirname } from 'node:path'
import { StepFailed } from '../errors.ts'
import type { Engine, EngineEvent, EngineUpdate } from '../engines/engine.ts'
import type { Mount, SandboxName } from '../sandboxes/sandbox.ts'
import { headline, type AgentExit } from './endings.ts'
import { failureOf } from './exit-cause.ts'
import { listen, type Told } from './listen.ts'
import type { Prepared } from './prepare.ts'
import { readRoutineFolder } from './routine-folder.ts'
import { setUp } from './set-up.ts'
import { createSpending, leftOf } from './spending.ts'
import type { Task } from './task.ts'
import { writeConnectors, writeTaskFiles } from './task-files.ts'
import { openWayOut } from './way-out.ts'

/** Runs the agent in its sandbox until it ends, the time is up, or the run is stopped; then nothing of it is left running. */
export async function work(task: Task, prepared: Prepared): Promise<AgentExit> {
  const { run, routine, held, tools, signal } = task
  const timeUp = AbortSignal.timeout(routine.limits.minutes * 60_000)
  const {
    stopped,
    sandbox,
    headline: said,
    said: lastWords,
  } = await engage(task, prepared, AbortSignal.any([signal, timeUp]))
  signal.throwIfAborted()
  const failure = failureOf(stopped)
  const end = { code: stopped.code, signal: stopped.signal, because: stopped.because }
  if (failure?.mayRepeat) throw new StepFailed(failure.reason, failure.message, { retryable: true })
  await tools.reached('agent_exited', run.id)
  const because: AgentExit['because'] = timeUp.aborted && end.because === 'aborted' ? 'time_limit' : end.because
  const exit: AgentExit = { ...end, because, sandbox, fence: held.fence, said: lastWords }
  if (failure) exit.failure = { reason: failure.reason, message: failure.message }
  await held.record({ exit, title: headline(said, routine) })
  await tools.reached('exit_recorded', run.id)
  return exit
}

type Engaged = Told & { sandbox: SandboxName }

/** From opening its sandbox to closing it. What was spent is on record afterwards, however it ended. */
async function engage(task: Task, prepared: Prepared, signal: AbortSignal): Promise<Engaged> {
  const { run, routine, held, tools } = task
  const { checkout } = prepared
  const engine = engineOf(task)
  const { programs, model } = await engine.needs()
  const { prompt, notes, files, home, setupHome } = await writeTaskFiles(task)
  const beside = await readRoutineFolder(routine)
  const spending = createSpending(run, (bill) => held.record(bill))
  try {
    await using way = await openWayOut(task, { model, prepared, spending })
    await using sandbox = await tools.openSandbox(
      // Whatever becomes of walls, no later attempt goes without them.
      { ...routine, had: run.sandbox },
      {
        run: run.id,
        mounts: [
          ...tools.checkouts.mountsFor(checkout).agent,
          ...[dirname(files.prompt), ...beside.shown, home.trusted, ...programs].map(readOnly),
          ...[home.own, ...(setupHome === null ? [] : [setupHome])].map(writable),
        ],
        ...way.forward,
        limits: routine.caps,
      },
    )
    const ends = AbortSignal.any([signal, way.lost])
    const env = { ...way.environment(sandbox), ...(setupHome === null ? {} : { HOME: setupHome }) }
    const connectors = await writeConnectors(way.connectors(sandbox), dirname(files.prompt))
    const agent = () =>
      engine.run({
        sandbox,
        cwd: checkout.tree,
        argv: beside.argv,
        programs,
        prompt,
        files: { ...files, routineDir: beside.path },
        connectors,
        model: routine.engine.model,
        effort: routine.engine.effort,
        limits: { ...routine.limits, usd: leftOf(routine.limits.usd, run) },
        home,
        resume: null,
        modelToken: way.modelToken,
        way: env,
        signal: ends,
      })
    const start = async () => {
      await tools.reached('set_up', run.id)
      // Without walls everything is seen.
      const kept = sandbox.name === 'process' ? [] : beside.notes
      await held.advance('working', { sandbox: sandbox.name, notes: [...sandbox.notes, ...kept, ...notes] })
      await tools.reached('agent_started', run.id)
    }
    const events = afterSetup(setUp(task, { ...prepared, sandbox, home: setupHome, env, signal: ends }), {
      start,
      agent,
      ends,
    })
    const told = await listen(task, events, spending)
    if (told.stopped.because === 'aborted') way.lost.throwIfAborted()
    return { ...told, sandbox: sandbox.name }
  } finally {
    await spending.saved()
  }
}

type Next = { start(): Promise<void>; agent(): AsyncIterable<EngineEvent>; ends: AbortSignal }

/** Setup, then the agent; whoever is stopped during setup has no agent. */
async function* afterSetup(
  steps: AsyncIterable<EngineUpdate>,
  { start, agent, ends }: Next,
): AsyncGenerator<EngineEvent> {
  try {
    yield* steps
  } catch (error) {
    if (!ends.aborted) throw error
    yield { stopped: { because: 'aborted', code: null, signal: null } }
    return
  }
  await start()
  yield* agent()
}

function engineOf({ routine, tools }: Task): Engine {
  const engine = tools.engineOf(routine.engine.name)
  if (engine) return engine
  throw new StepFailed('not_available', `the engine ${JSON.stringify(routine.engine.name)} is not available yet`, {
    hint: 'write engine: claude, or engine: { name: command, command: [...] }',
  })
}

const readOnly = (path: string): Mount => ({ path, write: false })
const writable = (path: string): Mount => ({ path, write: true })
