import type { ChildProcess } from 'node:child_process'
import type { GitOptions } from './git.ts'

/** `failed`: what reading its answer threw. */
export type Heard = {
  exit: number | string
  stdout: Buffer
  stderr: string
  cut: boolean
  spawnError?: unknown
  failed?: unknown
}

const stderrBytes = 16 * 1024
const killGraceMs = 2000

/** Hears a started git out, within its limits. */
export function hear(child: ChildProcess, options: GitOptions): Promise<Heard> {
  const { signal, input, maxBytes = 64 * 1024 * 1024 } = options
  const chunks: Buffer[] = []
  const { each = (chunk) => void chunks.push(chunk) } = options
  const state: { size: number; cut: boolean; failed?: unknown } = { size: 0, cut: false }
  let stderr: Buffer = Buffer.alloc(0)
  let hardKill: NodeJS.Timeout | undefined
  const end = () => {
    killGroup(child, 'SIGTERM')
    hardKill ??= setTimeout(() => killGroup(child, 'SIGKILL'), killGraceMs)
  }
  child.stdout?.on('data', (chunk: Buffer) => {
    if (state.cut || 'failed' in state) return
    try {
      each(chunk.subarray(0, maxBytes - state.size))
    } catch (error) {
      state.failed = error
      end()
    }
    state.size += chunk.length
    if (state.size > maxBytes) {
      state.cut = true
      end()
    }
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-stderrBytes)
  })
  // git may close its end before it has read everything; its exit code says what that meant.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  signal?.addEventListener('abort', end, { once: true })
  return new Promise((resolve) => {
    const heard = (rest: Pick<Heard, 'exit' | 'spawnError'>) => {
      clearTimeout(hardKill)
      signal?.removeEventListener('abort', end)
      const { size: _size, ...told } = state
      resolve({ stdout: Buffer.concat(chunks), stderr: printable(stderr.toString('utf8')), ...told, ...rest })
    }
    child.once('error', (spawnError) => heard({ exit: -1, spawnError }))
    child.once('close', (code, killedBy) => heard({ exit: code ?? killedBy ?? -1 }))
  })
}

export function killGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group is already gone.
  }
}

/** File names and hooks' output are other people's text: no control characters, except ends of lines. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{C}\n\t]/gu, '\u{FFFD}')
}
