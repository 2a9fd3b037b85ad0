import { execFile, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { endingAs } from './commands/endings.ts'
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
  const looks = [() => countsMore(paths, bytes / inodeBytes, over.signal), () => takesMore(paths, bytes, over.signal)]
  void Promise.any(looks.map((look) => untilTrue(look, over.signal))).then(
    () => {
      state.isFull = true
      void command.kill(0)
    },
    // It ended before.
    () => undefined,
  )
  const exit = command.exit.then((exit): Exit => {
    over.abort()
    return state.isFull || exit.signal === 'SIGXFSZ' ? { ...exit, cause: 'out_of_room' } : exit
  })
  return endingAs(command, exit)
}

/** Rejects when nobody wants to know any more. */
async function untilTrue(look: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (let restMs = pauseMs.least; ;) {
    await delay(restMs, undefined, { signal, ref: false })
    const since = performance.now()
    if (await look()) break
    restMs = Math.min(pauseMs.most, Math.max(pauseMs.least, (performance.now() - since) * pauseTimes))
  }
  signal.throwIfAborted()
}

const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' }

/**
 * By du(1), which follows no link, opens no file and stays on its file system. What vanishes meanwhile it complains of, and goes on.
 */
async function takesMore(paths: readonly string[], bytes: number, signal: AbortSignal): Promise<boolean> {
  const argv = ['--summarize', '--total', '--one-file-system', '--block-size=1024', '--', ...paths]
  const { stdout } = await run('du', argv, { env, signal }).catch((error: { stdout?: string }) => ({
    stdout: error.stdout ?? '',
  }))
  return Number(/^(\d+)\ttotal$/m.exec(stdout)?.[1] ?? 0) * 1024 > bytes
}

/** By find(1), which reads names alone, and is ended when there are too many: a size is long in coming where a million files are made. */
async function countsMore(paths: readonly string[], files: number, signal: AbortSignal): Promise<boolean> {
  const argv = ['-P', ...paths, '-xdev', '-printf', '.']
  const find = spawn('find', argv, { env, signal, stdio: ['ignore', 'pipe', 'ignore'] })
  find.on('error', () => undefined)
  let found = 0
  for await (const dots of find.stdout as AsyncIterable<Buffer>) {
    found += dots.length
    if (found > files) break
  }
  find.kill('SIGKILL')
  return found > files
}
