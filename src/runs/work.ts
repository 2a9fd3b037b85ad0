import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { StepFailed } from '../errors.ts'
import type { EngineEvent, EngineTask, Stopped } from '../engines/engine.ts'
import { fillPrompt } from '../routines/prompt.ts'
import { headline, lastLine, type AgentExit } from './endings.ts'
import type { Prepared } from './prepare.ts'
import type { Task } from './task.ts'
import type { Transcript } from './transcript.ts'

/** Runs the agent in its sandbox until it ends, the time is up, or the run is stopped; then nothing of it is left running. */
export async function work(task: Task, { checkout }: Prepared): Promise<AgentExit> {
  const { run, routine, held, tools, signal } = task
  const engine = tools.engineOf(routine.engine.name)
  if (!engine) {
    throw new StepFailed('not_available', `the engine ${JSON.stringify(routine.engine.name)} is not available yet`, {
      hint: 'write engine: { name: command, command: [...] }',
    })
  }
  const files = await writeTaskFiles(task)
  const routineDir = dirname(routine.file)
  const readable = [dirname(files.prompt), routineDir].map((path) => ({ path, write: false }))
  const timeUp = AbortSignal.timeout(routine.limits.minutes * 60_000)
  const { stopped, lastWords } = await (async () => {
    await using sandbox = await tools.openSandbox(routine, {
      run: run.id,
      mounts: [...tools.checkouts.mountsFor(checkout).agent, ...readable],
    })
    await held.advance('working', { sandbox: sandbox.name, notes: sandbox.notes })
    await tools.reached('agent_started', run.id)
    const engineTask = {
      sandbox,
      cwd: checkout.tree,
      argv: await resolvePrograms(routine.engine.command, routineDir),
      prompt: fillPrompt(routine.prompt, promptValues(task)),
      files: { ...files, routineDir },
      signal: AbortSignal.any([signal, timeUp]),
    }
    return await listen(task, engine.run(engineTask))
  })()
  signal.throwIfAborted()
  await tools.reached('agent_exited', run.id)
  const because: AgentExit['because'] = timeUp.aborted && stopped.because === 'aborted' ? 'time_limit' : stopped.because
  const exit = { ...stopped, because, said: lastLine(lastWords.stderr || lastWords.stdout) }
  await held.record({ exit, title: headline(lastLine(lastWords.stdout), routine) })
  await tools.reached('exit_recorded', run.id)
  return exit
}

/** `./programs/x.mjs` in a command means the file beside the routine, where there is one; the working directory is the checkout. */
async function resolvePrograms(argv: readonly string[], routineDir: string): Promise<string[]> {
  return Promise.all(
    argv.map(async (word) => {
      if (!word.startsWith('./')) return word
      const beside = join(routineDir, word)
      const isFile = await stat(beside).then(
        (found) => found.isFile(),
        () => false,
      )
      return isFile && beside.startsWith(routineDir + sep) ? beside : word
    }),
  )
}

async function listen(
  task: Task,
  events: AsyncIterable<EngineEvent>,
): Promise<{ stopped: Stopped; lastWords: LastWords }> {
  const transcript: Transcript = await task.tools.openTranscript(task.run.id, task.held.fence)
  let stopped: Stopped = { because: 'aborted', code: null, signal: null }
  const lastWords: LastWords = { stdout: '', stderr: '' }
  try {
    for await (const event of events) {
      if ('stopped' in event) {
        stopped = event.stopped
        continue
      }
      await transcript.append({ at: new Date().toISOString(), ...event })
      const stream = event.stream ?? 'stdout'
      lastWords[stream] = (lastWords[stream] + event.content.text).slice(-4096)
    }
  } finally {
    await task.held.storeTranscript(await transcript.close())
  }
  return { stopped, lastWords }
}
type LastWords = { stdout: string; stderr: string }

function promptValues({ run, routine }: Task): Record<string, unknown> {
  return {
    inputs: run.inputs,
    event: {},
    slot: { at: run.slotAt?.toISOString() ?? '' },
    routine: { name: routine.name },
    previous: {},
  }
}

/** The prompt, the inputs and the event as files outside the checkout, so that they are never part of the patch. */
async function writeTaskFiles(task: Task): Promise<Pick<EngineTask['files'], 'prompt' | 'inputs' | 'event'>> {
  const folder = join(task.tools.workDir, task.run.id, 'task')
  await mkdir(folder, { recursive: true })
  const files = {
    prompt: join(folder, 'prompt.md'),
    inputs: join(folder, 'inputs.json'),
    event: join(folder, 'event.json'),
  }
  await writeFile(files.prompt, fillPrompt(task.routine.prompt, promptValues(task)))
  await writeFile(files.inputs, JSON.stringify(task.run.inputs))
  await writeFile(
    files.event,
    JSON.stringify({ trigger: task.run.trigger, slot: task.run.slotAt?.toISOString() ?? null }),
  )
  return files
}
