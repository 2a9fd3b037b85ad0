import type { Readable, Writable } from 'node:stream'

/**
 * How a command inside a sandbox ended. Exactly one of `code` and `signal` is set. A code of 128+n, n a signal's number, is told
 * as that signal: shells, launchers and containers do not keep the two apart.
 */
export type Exit = {
  code: number | null
  signal: string | null
  /** Why the sandbox ended it, or let it end, where that can be known. */
  cause?: ExitCause
}
export type ExitCause =
  /** Something in it was killed because all together took more memory than they may. */
  | 'out_of_memory'
  /** It was refused a process, because there were as many as there may be. */
  | 'too_many_processes'
  /** It was ended because its folders took more room than they may. */
  | 'out_of_room'
  /** Whoever makes the walls went away, and the command with them; the same may go well later. */
  | 'sandbox_lost'

/** A command inside a sandbox. Streams are bytes; whoever reads slowly slows the command (no buffering beyond the pipe). */
export type SandboxProcess = {
  stdin: Writable
  stdout: Readable
  stderr: Readable
  /** Resolves when the command AND every process it left behind are gone. Never rejects. */
  exit: Promise<Exit>
  /** SIGTERM to the command and its process group, `graceMs` later (default 5000; 0 = at once, no SIGTERM) SIGKILL to everything it started. Resolves with `exit`. */
  kill(graceMs?: number): Promise<Exit>
  /** SIGINT to the command and its process group: what Ctrl-C does. It may go on as long as it likes. */
  interrupt(): void
}

export type SpawnOptions = {
  /** The whole environment, nothing is inherited. HOME, PATH and TMPDIR are set by the driver and may be overridden. */
  env?: Record<string, string>
  /** A folder in one of the mounts. */
  cwd: string
  /** Aborting kills as `kill(0)`; before the command has started, `spawn` rejects with the signal's reason. */
  signal?: AbortSignal
}

/** A folder (or file) of the host, visible at the same absolute path inside. */
export type Mount = { path: string; write: boolean }

/** What one command may take, with everything it starts. */
export type Limits = { memoryBytes: number; cpus: number; processes: number; diskBytes: number }

export type SandboxSpec = {
  /** Marks every process (environment OVERNIGHT_RUN), so that a restart can find what a killed service left. */
  run: string
  mounts: Mount[]
  /** A unix socket of the host that commands may connect to, at `forwardedAt`; the only way out of a sandbox with walls. */
  forward?: { socket: string }
  /** Those left out are the driver's own. */
  limits?: Partial<Limits>
}

export type Sandbox = AsyncDisposable & {
  name: SandboxName
  /** What this sandbox does not do here, in sentences for the person who reads the run ("the network is not limited"). */
  notes: string[]
  /** Where `forward` is for a command inside: `127.0.0.1:<port>`. */
  forwardedAt?: string
  /** What its programs are: where the answer is another one, what was built here need not run. */
  platform(): Promise<string>
  /**
   * Throws StepFailed('no_agent') when argv[0] is not there, StepFailed('no_sandbox', retryable) when the walls could not be
   * made; whatever the command does afterwards is an Exit.
   */
  spawn(argv: readonly string[], options: SpawnOptions): Promise<SandboxProcess>
}

export type SandboxName = 'process' | 'bubblewrap' | 'docker' | 'kubernetes'

export type SandboxDriver = {
  name: SandboxName
  /** Really starts something, once a service. `undefined` = works, otherwise the sentence why not. */
  probe(): Promise<string | undefined>
  /** What it starts commands with, in one line; undefined where it does not work. */
  about?(): Promise<string | undefined>
  /** Disposing kills whatever still runs inside. */
  open(spec: SandboxSpec): Promise<Sandbox>
  /**
   * Kills what an earlier, killed service left running, of every run for which `owned` answers true;
   * returns how many processes. Safe to call at any time.
   */
  reap(owned: (run: string) => boolean): Promise<number>
}
