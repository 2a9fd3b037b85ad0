import type { Reason } from '../errors.ts'
import type { ExitCause, Sandbox } from '../sandboxes/sandbox.ts'

type Text = { type: 'text'; text: string }
export type ToolKind = 'read' | 'edit' | 'search' | 'execute' | 'fetch' | 'think' | 'other'

/** What an engine tells while it works: the Agent Client Protocol's session updates (the subset in use), then `stopped`. */
export type EngineEvent =
  | {
      sessionUpdate: 'agent_message_chunk'
      content: Text
      /** A plain command has two streams; agents that speak ACP leave it out. */
      stream?: 'stdout' | 'stderr'
    }
  | { sessionUpdate: 'agent_thought_chunk'; content: Text }
  | ({ sessionUpdate: 'tool_call'; status: 'in_progress' } & ToolCall)
  /** Repeats title and kind, so that it can be read without the call. */
  | ({ sessionUpdate: 'tool_call_update'; status: 'completed' | 'failed' } & ToolCall)
  /** Money spent since the task began. */
  | { sessionUpdate: 'usage_update'; cost: { amount: number; currency: 'USD' } }
  /** The engine's own name for its session: `resume` of a later task. */
  | { session: string }
  | { stopped: Stopped }

/** What a transcript keeps. */
export type EngineUpdate = Exclude<EngineEvent, { stopped: unknown } | { session: unknown }>

export type ToolCall = {
  toolCallId: string
  /** One line: what is done to what. */
  title: string
  kind: ToolKind
  content: { type: 'content'; content: Text }[]
}

/** The agent's own ending. `exit` = it ended by itself; anything but code 0 is `failed: agent_exit`, unless `failure` says better. */
export type Stopped = {
  because: 'exit' | 'aborted'
  code: number | null
  signal: string | null
  /** What its sandbox knows of why. */
  cause?: ExitCause
  failure?: AgentFailure
}
export type AgentFailure = {
  reason: Reason
  message: string
  /** Nothing had been done by then, and the same may go well later: it may be started again. */
  mayRepeat: boolean
}

export type EngineTask = {
  sandbox: Sandbox
  /** The checkout, and the working directory. */
  cwd: string
  argv: readonly string[]
  /** What `needs` named: looked for once a run, and shown by the sandbox. */
  programs: readonly string[]
  prompt: string
  /** Files that stand outside the checkout: prompt, inputs, event, and the routine's folder (absolute paths). */
  files: { prompt: string; inputs: string; event: string; routineDir: string }
  /** A file like these that lists the connectors of the run with how they are reached, and their names; null = it has none. */
  connectors: { file: string; names: readonly string[] } | null
  /** What the routine says for agents; null = the agent's own default. */
  model: string | null
  effort: string | null
  limits: { usd: number | null; turns: number | null }
  /** An agent's own two folders, outside the checkout: what it keeps between its turns, and one that stays empty and that it cannot write. */
  home: { own: string; trusted: string }
  /** A session that `home.own` still holds, and what it had cost by then. */
  resume: { session: string; spentUsd: number } | null
  /** Opens the model at `sandbox.forwardedAt`; null for engines that need none. */
  modelToken: string | null
  /** Environment variables that lead its programs to what the run reaches. */
  way: Readonly<Record<string, string>>
  signal: AbortSignal
}

type Needs = {
  /** Files and folders of the operator that the sandbox must show, read-only. */
  programs: string[]
  /** It talks to a model. */
  model: boolean
}

export type Engine = {
  name: string
  /** Called before the sandbox is opened. Throws StepFailed('no_agent') with how to install what is missing. */
  needs(): Promise<Needs>
  /** The last event is always `stopped`. Never rejects for what the agent did; throws StepFailed('no_agent') when it cannot be started. */
  run(task: EngineTask): AsyncIterable<EngineEvent>
}
