import { setTimeout as delay } from 'node:timers/promises'
import { StepFailed } from '../errors.ts'
import type { SandboxProcess } from '../sandboxes/sandbox.ts'
import { failureOf } from './claude-ending.ts'
import { findClaude } from './claude-program.ts'
import { claudeArguments, claudeEnvironment, defaultRetries } from './claude-start.ts'
import { createClaudeStory } from './claude-story.ts'
import type { Engine, EngineEvent, EngineTask, Stopped } from './engine.ts'
import { merge } from './merge.ts'
import { readLines } from './read-lines.ts'
import { readText } from './read-text.ts'

/** After SIGINT the CLI ends its tools and says what it spent; that takes a second or two. */
const interruptedMs = 5000
/** And after SIGTERM, before the namespace is ended with all in it. */
const terminatedMs = 5000

export type ClaudeOptions = {
  /** The operator's PATH. */
  path: string
  /** How often a model that answers with errors is asked again, with growing pauses. */
  retries?: number
  find?: typeof findClaude
}

/**
 * The operator's own Claude Code without a screen. It is told nothing but the prompt, believes nothing of the repository but its
 * CLAUDE.md, and reaches nothing but its model. A silent one is not taken for a hung one, because thinking and tests are silent,
 * too: limits.minutes ends it.
 */
export function createClaudeEngine({ path, retries = defaultRetries, find = findClaude }: ClaudeOptions): Engine {
  return {
    name: 'claude',
    async needs() {
      return { programs: [(await find(path)).path], model: true }
    },
    async *run(task: EngineTask): AsyncGenerator<EngineEvent> {
      if (task.signal.aborted) {
        yield { stopped: { because: 'aborted', code: null, signal: null } }
        return
      }
      const walled = task.sandbox.name !== 'process'
      const [program] = task.programs
      if (program === undefined) throw new StepFailed('no_agent', 'Claude Code was not looked for before it is started')
      if (task.modelToken === null || task.sandbox.forwardedAt === undefined)
        throw new StepFailed('no_agent', 'Claude Code cannot be started without a way to its model')
      const argv = [program, ...claudeArguments({ ...task, walled })]
      const env = claudeEnvironment(task, { walled, retries })
      yield* listen(await task.sandbox.spawn(argv, { cwd: task.cwd, env }), task)
    },
  }
}

async function* listen(command: SandboxProcess, task: EngineTask): AsyncGenerator<EngineEvent> {
  const { signal } = task
  const stop = () => void stopGently(command)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const story = createClaudeStory(task.cwd, task.resume?.spentUsd ?? 0)
  // Not awaited: a program that reads its input late must not be waited for before its output is read.
  command.stdin.end(task.prompt)
  try {
    yield* merge([toldBy(command, story), errorsOf(command)])
    const exit = await command.exit
    const because = signal.aborted ? 'aborted' : 'exit'
    const failure = because === 'exit' ? failureOf(story.seen, exit.code) : undefined
    const stopped: Stopped = { because, ...exit, ...(failure ? { failure } : {}) }
    yield { stopped }
  } finally {
    signal.removeEventListener('abort', stop)
    // Does nothing after an ordinary end; a reader who stops early ends the program.
    await command.kill(0)
  }
}

async function stopGently(command: SandboxProcess): Promise<void> {
  command.interrupt()
  const waiting = new AbortController()
  const patience = delay(interruptedMs, undefined, { signal: waiting.signal }).catch(() => undefined)
  await Promise.race([command.exit, patience])
  waiting.abort()
  await command.kill(terminatedMs)
}

async function* toldBy(
  command: SandboxProcess,
  story: ReturnType<typeof createClaudeStory>,
): AsyncGenerator<EngineEvent> {
  for await (const line of readLines(command.stdout)) yield* story.tell(line)
}

async function* errorsOf(command: SandboxProcess): AsyncGenerator<EngineEvent> {
  for await (const text of readText(command.stderr)) {
    yield { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text }, stream: 'stderr' }
  }
}
