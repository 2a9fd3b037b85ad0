import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Exit, SandboxProcess } from './sandbox.ts'

const run = promisify(execFile)

/** For whoever reads the run. */
export const roomNote = 'the disk is watched: an agent that writes too much is ended some seconds later'

/** Looking costs one walk through all files, so it is done seldom, and more seldom where it takes long. */
const pauseMs = { least: 2000, most: 10_000 }
const pauseTimes = 4
/** An empty file takes room, too: of the file system's own, and that can run out first. */
const inodeBytes = 1024

/**
 * For a command that writes on the disk of the host, which no kernel limits for a folder by itself: ends it when `paths` have
 * come to take more than `bytes`. Some seconds late, because it looks instead of being asked.
 */
export function withinRoom(command: SandboxProcess, paths: readonly string[], bytes: number): SandboxProcess {
  if (paths.length === 0 || !Number.isFinite(bytes)) return command
  const over = new AbortController()
  const state = { isFull: false }
  void untilFull(paths, bytes, over.signal).then((isFull) => {
    if (!isFull) return
    state.isFull = true
    void command.kill(0)
  })
  const exit = command.exit.then((exit): Exit => {
    over.abort()
    return state.isFull || exit.signal === 'SIGXFSZ' ? { ...exit, cause: 'out_of_room' } : exit
  })
  return {
    ...command,
    exit,
    kill: async (graceMs) => {
      await command.kill(graceMs)
      return exit
    },
  }
}

async function untilFull(paths: readonly string[], bytes: number, signal: AbortSignal): Promise<boolean> {
  for (let restMs = pauseMs.least; ;) {
    await delay(restMs, undefined, { signal, ref: false }).catch(() => undefined)
    if (signal.aborted) return false
    const since = performance.now()
    if ((await takenBy(paths, signal)) > bytes) return !signal.aborted
    restMs = Math.min(pauseMs.most, Math.max(pauseMs.least, (performance.now() - since) * pauseTimes))
  }
}

/** By du(1), which follows no link, opens no file and stays on its file system. What vanishes meanwhile it complains of, and counts on. */
async function takenBy(paths: readonly string[], signal: AbortSignal): Promise<number> {
  const [kilobytes, inodes] = await Promise.all(
    [['--block-size=1024'], ['--inodes']].map(async (how) => {
      const argv = ['--summarize', '--total', '--one-file-system', ...how, '--', ...paths]
      const options = { env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, signal, maxBuffer: 1 << 26 }
      const said = await run('du', argv, options).catch((error: { stdout?: string }) => ({
        stdout: error.stdout ?? '',
      }))
      return Number(/^(\d+)\ttotal$/m.exec(said.stdout)?.[1] ?? 0)
    }),
  )
  return (kilobytes ?? 0) * 1024 + (inodes ?? 0) * inodeBytes
}
