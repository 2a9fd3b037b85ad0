import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { messageOf } from '../../errors.ts'
import { decodeExit, endings, type Endings } from './endings.ts'
import { firstProcess, type Forward } from './first-process.ts'
import type { TakeHold } from './hold.ts'
import { withCleanDescriptors } from './inherited.ts'
import { runMarker } from './leftovers.ts'
import { createOutlet } from './outlet.ts'
import { openPipes } from './pipes.ts'
import { noAgent, noSandbox, notStartable } from './refused.ts'
import type { Exit, SandboxProcess } from '../sandbox.ts'

export type Start = {
  /** The program that makes the walls, with its arguments up to where the first process inside begins. May be empty. */
  launcher: readonly string[]
  /** Where the launcher starts, on this machine. */
  launcherCwd: string
  argv: readonly string[]
  /** The command's whole environment. */
  env: Readonly<Record<string, string>>
  takeHold: TakeHold
  forward?: Forward | undefined
  /** What the launcher reads on descriptor 4. */
  filter?: Buffer | undefined
  signal?: AbortSignal | undefined
}

/** Resolves when the command runs. Throws StepFailed: `no_agent` when its program is not there, `no_sandbox` when the walls could not be made. */
export async function startCommand(start: Start): Promise<SandboxProcess> {
  const { child, told, stdin, stdout, stderr } = await spawnLauncher(start)
  const exited = exitOf(child)
  // A command that never reads its input closes the pipe: that is its right, not an error of ours.
  stdin.on('error', () => undefined)
  const output = createOutlet(stdout)
  const errors = createOutlet(stderr)
  const close = () => {
    stdin.destroy()
    output.finish()
    errors.finish()
  }
  const { exit, kill, interrupt } = await takeHold(start, { child, told, exited, errors: errors.stream }).catch(
    (error: unknown) => {
      close()
      throw error
    },
  )
  void exit.finally(close)
  // Never earlier: a bwrap that is killed while it builds its walls leaves a half that waits for ever.
  if (start.signal?.aborted) await exit
  start.signal?.throwIfAborted()
  return { stdin, stdout: output.stream, stderr: errors.stream, exit, kill, interrupt }
}

type Started = { child: ChildProcess; told: string; exited: ReturnType<typeof exitOf>; errors: Readable }

async function takeHold(start: Start, { child, told, exited, errors }: Started): Promise<Endings> {
  if (child.pid === undefined)
    throw noSandbox(`${(await exited).failure ?? 'it did not start'} (in ${start.launcherCwd})`)
  const answer = await firstWords(child.stdio[3] as Duplex, told)
  if (answer !== 'started') {
    const { failure } = await exited
    if (answer.startsWith('unreachable')) throw noSandbox(`the way out of it is ${answer}`)
    throw answer === 'missing' ? noAgent(start) : noSandbox(failure ?? (await text(errors)))
  }
  return endings(await start.takeHold(child.pid), exited, start.signal)
}

async function spawnLauncher({ launcher, launcherCwd, argv, env, forward, filter, signal }: Start) {
  signal?.throwIfAborted()
  const first = firstProcess({ argv, env, forward, over: 'descriptor 3' })
  const pipes = await openPipes()
  const [program, ...rest] = [...launcher, ...first.argv] as [string, ...string[]]
  // Launchers run outside the walls, and process 1 shows what they were given: nothing of ours, and of the command's only the
  // marker, by which a launcher that was left half-way is found again.
  const marked = env[runMarker] === undefined ? {} : { [runMarker]: env[runMarker] }
  let started = false
  try {
    signal?.throwIfAborted()
    const options = { cwd: launcherCwd, env: marked, detached: true }
    const wanted = [...pipes.inside, 'pipe' as const, ...(filter ? ['pipe' as const] : [])]
    const child = withCleanDescriptors(wanted, (stdio) => spawn(program, rest, { ...options, stdio }))
    started = true
    if (filter) hand(child.stdio[4] as Duplex, filter)
    return { child, told: first.told, ...pipes.streams(child) }
  } catch (error) {
    signal?.throwIfAborted()
    throw notStartable(argv[0], messageOf(error), error)
  } finally {
    pipes.release(started)
  }
}

/** A launcher that ends without reading it says why by its end. */
function hand(way: Duplex, bytes: Buffer): void {
  way.on('error', () => undefined).end(bytes)
}

/** Never rejects; `failure` says why there was nothing to end. */
async function exitOf(child: ChildProcess): Promise<{ exit: Exit; failure?: string }> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    return { exit: code === null ? { code, signal } : decodeExit(code) }
  } catch (error) {
    return { exit: { code: 127, signal: null }, failure: messageOf(error) }
  }
}

/** Empty when it ended without a word: whoever ends before it has read everything resets the connection. */
async function firstWords(report: Duplex, told: string): Promise<string> {
  try {
    report.write(told)
    for await (const words of report) return String(words).trim()
  } catch {
    // What the launcher said of it on stderr is told instead.
  }
  return ''
}
