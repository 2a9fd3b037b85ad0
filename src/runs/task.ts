import type { Engine } from '../engines/engine.ts'
import type { Forge } from '../forges/forge.ts'
import type { HeldRun } from '../ledger/held-run.ts'
import type { Run, StoredPatch } from '../ledger/schema.ts'
import type { Log } from '../log.ts'
import type { ConnectorWay } from '../relay/mcp/server-side.ts'
import type { Relay } from '../relay/relay.ts'
import type { UsageReport } from '../relay/usage.ts'
import type { Routine } from '../routines/routine.ts'
import type { Redaction } from '../secrets/redaction.ts'
import type { SandboxWish } from '../sandboxes/opener.ts'
import type { Sandbox, SandboxSpec } from '../sandboxes/sandbox.ts'
import type { Checkouts } from '../checkout/index.ts'
import type { Inspect } from '../checkout/inspection.ts'
import type { propose } from '../publish/propose.ts'
import type { Setups } from '../checkout/setup/index.ts'
import type { publish } from '../publish/publish.ts'
import type { Background } from './brief.ts'
import type { KeptPrompt } from './kept-prompt.ts'
import type { Transcript } from './transcript.ts'

/** Instants of the pipeline a fault test may stop at, in their order. */
export const steps = [
  'claimed',
  'checked_out',
  'set_up',
  'agent_started',
  'agent_exited',
  'exit_recorded',
  'collected',
  'patch_stored',
  'pushed',
  'pull_ensured',
  'publication_stored',
] as const
export type Step = (typeof steps)[number]

/** Everything the pipeline acts through; handed in, so that each part has one owner and tests bring their own. */
export type PerformTools = {
  checkouts: Checkouts
  inspect: Inspect
  setups: Setups
  publish: typeof publish
  propose: typeof propose
  forgeOf(repository: string): Forge
  engineOf(name: string): Engine | undefined
  /** The kind of sandbox this routine gets here. Throws StepFailed('no_sandbox') with what to do. */
  openSandbox(wish: SandboxWish, spec: SandboxSpec): Promise<Sandbox>
  /** The way out of one attempt. Throws StepFailed('model_sign_in') when it has a model and no key is configured. */
  openRelay(way: RelayRequest): Promise<Relay>
  /** How this run reaches the connectors of its routine. Throws StepFailed('connector') with what to do. */
  connectorsFor(routine: Routine, repository: string, how: Pick<ConnectorWay, 'onlyReads'>): Promise<ConnectorWay[]>
  openTranscript(run: string, fence: number): Promise<Transcript>
  /** For people who ask what the agent of this attempt was told. */
  keepPrompt(run: string, fence: number, told: KeptPrompt): Promise<void>
  backgroundOf(run: Run): Promise<Background>
  patchOf(run: string): Promise<StoredPatch | undefined>
  /** A later run of the same routine and subject that has published since. */
  newerThan(run: Run): Promise<{ run: string } | undefined>
  lastPushed(repository: string, branch: string): Promise<string | undefined>
  /** Of everything that is written or sent. */
  redaction: Redaction
  mirrorsDir: string
  /** Holds a folder a run, and in it one an attempt. */
  workDir: string
  reached(step: Step, run: string): Promise<void> | void
  log: Log
}

type RelayRequest = {
  run: string
  /** What git may fetch. */
  repository: { gitDir: string; url: string }
  connectors: readonly ConnectorWay[]
  /** What is reached beside the model. */
  hosts: 'open' | ReadonlySet<string>
  /** A line for the timeline. */
  tell(text: string): void
  /** Set where the agent has a model. */
  onUsage: ((report: UsageReport) => void) | undefined
}

/** One run in the hands of one worker. */
export type Task = {
  run: Run
  routine: Routine
  held: HeldRun
  signal: AbortSignal
  tools: PerformTools
  /** `<work>/<run>/<fence>`: everything this attempt keeps on disk. A worker that lost the run still writes in its own only. */
  folder: string
  /** The folder of the attempt that saw the agent end; null when none did. */
  endedIn: string | null
}
