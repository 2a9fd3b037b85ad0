import type { Config } from '../config.ts'

/** The world of a command, handed in. */
export type Terminal = {
  env: Record<string, string | undefined>
  cwd: string
  out(text: string): void
  err(text: string): void
  isTerminal: boolean
  /** The standard input to its end. */
  input(): Promise<string>
  /** Calls back when the person wants to stop (Ctrl-C, SIGTERM). */
  onSignal(stop: () => void): void
}

export type Context = Terminal & {
  config(): Config
  /** How the command ends when nothing throws; 0 unless set. */
  exit(code: number): void
}
export const exitCodes = { ok: 0, theirs: 1, usage: 2, ours: 70 } as const
