import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Sandbox } from '../../src/sandboxes/sandbox.ts'

/** No confinement at all: whatever a collector would execute here, it would have executed on the host. */
export function openHostSandbox(): Sandbox {
  return {
    name: 'process',
    notes: [],
    platform: async () => 'host',
    async spawn(argv, { env, cwd, signal }) {
      const child = spawn(argv[0]!, argv.slice(1), {
        cwd,
        env: { PATH: process.env['PATH'], ...env },
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe'],
      })
      const exit = once(child, 'close').then(([code, killedBy]) => ({
        code: code as number | null,
        signal: killedBy as string | null,
      }))
      const kill = () => {
        if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
        return exit
      }
      signal?.addEventListener('abort', () => void kill(), { once: true })
      const interrupt = () => void child.kill('SIGINT')
      return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, exit, kill, interrupt }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}
