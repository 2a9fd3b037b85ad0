import type { SandboxProcess } from '../sandboxes/sandbox.ts'
import type { Engine, EngineEvent, EngineTask, Stopped } from './engine.ts'
import { merge } from './merge.ts'
import { readText } from './read-text.ts'
import { environmentOf } from './task-files.ts'

/** What a program gets to finish in when it is told to stop; a cancelled run ends within five seconds. */
const graceMs = 2000

/**
 * Any program, in the checkout, without a shell: its arguments arrive as written. It finds the prompt on stdin and in the file
 * OVERNIGHT_PROMPT_FILE, its inputs and the event in OVERNIGHT_INPUTS_FILE and OVERNIGHT_EVENT_FILE, the folder of its
 * routine in OVERNIGHT_ROUTINE_DIR, and its connectors, where it has any, in OVERNIGHT_CONNECTORS_FILE. What it prints on either stream is its transcript.
 */
export function createCommandEngine(): Engine {
  return { name: 'command', needs: async () => ({ programs: [], model: false }), run }
}

async function* run(task: EngineTask): AsyncGenerator<EngineEvent> {
  if (task.signal.aborted) {
    yield { stopped: { because: 'aborted', code: null, signal: null } }
    return
  }
  const command = await task.sandbox.spawn(task.argv, { cwd: task.cwd, env: environmentOf(task) })
  const stop = () => void command.kill(graceMs)
  task.signal.addEventListener('abort', stop, { once: true })
  if (task.signal.aborted) stop()
  const stopped = endOf(command, task.signal)
  // Not awaited: a program that reads no input, or reads it late, must not be waited for before its output is read.
  command.stdin.end(task.prompt)
  try {
    yield* merge([eventsOf(command, 'stdout'), eventsOf(command, 'stderr')])
    yield { stopped: await stopped }
  } finally {
    task.signal.removeEventListener('abort', stop)
    // Does nothing after an ordinary end; a reader who stops early ends the program.
    await command.kill(0)
  }
}

async function endOf(command: SandboxProcess, signal: AbortSignal): Promise<Stopped> {
  const exit = await command.exit
  return { because: signal.aborted ? 'aborted' : 'exit', ...exit }
}

async function* eventsOf(command: SandboxProcess, stream: 'stdout' | 'stderr'): AsyncGenerator<EngineEvent> {
  for await (const text of readText(command[stream])) {
    yield { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text }, stream }
  }
}
