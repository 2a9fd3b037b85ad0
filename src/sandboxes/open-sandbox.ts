import type { Sandbox, SandboxProcess, SandboxSpec, SpawnOptions } from './sandbox.ts'
import { runMarker } from './commands/leftovers.ts'
import { withinRoom } from './room.ts'

export type Walls = {
  name: Sandbox['name']
  notes: string[]
  /** Where the socket of `spec.forward` is for a command. */
  forwardedAt: string | undefined
  /** HOME, PATH and TMPDIR of commands that bring none. */
  defaults: { HOME: string; PATH: string; TMPDIR: string }
  /** Bytes that the folders it may write in may take; undefined = whatever there is. */
  roomBytes?: number
  platform(): Promise<string>
  start(argv: readonly string[], options: SpawnOptions & { env: Record<string, string> }): Promise<SandboxProcess>
  /** Called once, when no command is left. */
  close(): Promise<void>
}

/** What all drivers share: the environment of a command, and that closing ends what still runs. */
export function openSandbox(spec: SandboxSpec, walls: Walls): Sandbox {
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()
  const { name, notes, defaults, forwardedAt, platform } = walls
  const written = spec.mounts.flatMap(({ path, write }) => (write ? [path] : []))

  return {
    name,
    notes,
    platform,
    ...(forwardedAt === undefined ? {} : { forwardedAt }),
    async spawn(argv, options) {
      const env = { ...defaults, ...options.env, [runMarker]: spec.run }
      const signal = options.signal ? AbortSignal.any([options.signal, closing.signal]) : closing.signal
      const starting = walls
        .start(argv, { ...options, env, signal })
        .then((command) => withinRoom(command, written, walls.roomBytes ?? Infinity))
      const ended = starting.then((command) => command.exit).catch(() => undefined)
      running.add(ended)
      void ended.then(() => running.delete(ended))
      return starting
    },
    async [Symbol.asyncDispose]() {
      if (closing.signal.aborted) return
      closing.abort(new Error('the sandbox was closed'))
      await Promise.all(running)
      await walls.close()
    },
  }
}

/** Which runs have a sandbox open now: what carries their marker is not a leftover. */
export function createOpenRuns() {
  const counts = new Map<string, number>()
  return {
    has: (run: string) => counts.has(run),
    /** Returns how to take it back. */
    add(run: string) {
      counts.set(run, (counts.get(run) ?? 0) + 1)
      return () => {
        const left = (counts.get(run) ?? 1) - 1
        if (left > 0) counts.set(run, left)
        else counts.delete(run)
      }
    },
  }
}
