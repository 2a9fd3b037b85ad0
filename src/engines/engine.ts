import type { Sandbox } from '../sandboxes/sandbox.ts'

/** What an engine tells while it works: the Agent Client Protocol's session updates (the subset in use), then `stopped`. */
export type EngineEvent =
  | {
      sessionUpdate: 'agent_message_chunk'
      content: { type: 'text'; text: string }
      /** A plain command has two streams; agents that speak ACP leave it out. */
      stream?: 'stdout' | 'stderr'
    }
  | { stopped: Stopped }

/** The agent's own ending. `exit` = it ended by itself; anything but code 0 is `failed: agent_exit`. */
export type Stopped = { because: 'exit' | 'aborted'; code: number | null; signal: string | null }

export type EngineTask = {
  sandbox: Sandbox
  /** The checkout, and the working directory. */
  cwd: string
  argv: readonly string[]
  prompt: string
  /** Files that stand outside the checkout: prompt, inputs, event, and the routine's folder (absolute paths). */
  files: { prompt: string; inputs: string; event: string; routineDir: string }
  signal: AbortSignal
}

/** The last event is always `stopped`. Never rejects for what the agent did; throws StepFailed('no_agent') when it cannot be started. */
export type Engine = { name: string; run(task: EngineTask): AsyncIterable<EngineEvent> }
