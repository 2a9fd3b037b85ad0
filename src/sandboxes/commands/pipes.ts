import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants

type Streams = { stdin: Writable; stdout: Readable; stderr: Readable }
export type Pipes = {
  /** What a command gets as 0, 1 and 2. */
  inside: readonly ('pipe' | number)[]
  streams(child: ChildProcess): Streams
  /** Must be called when the command was started, or could not be: only without our copies do its streams end with it. */
  release(started: boolean): void
}

/** Node's own. They are socket pairs, which nobody can open by a name in /proc; where there is no /proc, nobody needs to. */
const socketPairs: Pipes = {
  inside: ['pipe', 'pipe', 'pipe'],
  streams: ({ stdin, stdout, stderr }) => ({ stdin: stdin!, stdout: stdout!, stderr: stderr! }),
  release: () => undefined,
}

/** Shells joined by pipes: three of them have one, kept on descriptor 5. They tell their numbers, and wait until we have opened it. */
const holders = `
exec 3<&0 4>&1
hold() { exec 5>&1; read number rest </proc/self/stat; echo "$number" >&4; read end <&3; }
hold | hold | hold | :`

/**
 * Three real pipes, so that `echo x > /dev/stderr` and `cat /dev/stdin` work in a command: Node makes none by itself. FIFOs would
 * not do, because opening one whose writer has gone waits for ever. The price is a shell, some milliseconds.
 */
export async function openPipes(proc = '/proc'): Promise<Pipes> {
  const shell = spawn('/bin/sh', ['-c', holders], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] })
  shell.on('error', () => undefined)
  shell.stdin.on('error', () => undefined)
  try {
    const [input, output, errors] = await threeLines(shell.stdout)
    if (errors === undefined) return socketPairs
    return pipesAt([`${proc}/${input}/fd/5`, `${proc}/${output}/fd/5`, `${proc}/${errors}/fd/5`])
  } finally {
    shell.stdin.end()
    shell.stdout.destroy()
  }
}

async function threeLines(stream: Readable): Promise<string[]> {
  let text = ''
  for await (const chunk of stream) {
    text += String(chunk)
    if (text.split('\n').length > 3) break
  }
  return text.split('\n').filter(Boolean)
}

/** Our ends never block; the command's must, or its writes would fail while we read slowly. */
function pipesAt([input, output, errors]: [string, string, string]): Pipes {
  const opened: number[] = []
  const end = (path: string, flags: number): number => {
    const descriptor = openSync(path, flags)
    opened.push(descriptor)
    return descriptor
  }
  const closeAll = (descriptors: readonly number[]) => descriptors.forEach((descriptor) => closeSync(descriptor))
  try {
    // Each pipe's reading end first: the writing end of a pipe that nobody reads cannot be opened without waiting.
    const read = [end(input, O_RDONLY), end(output, O_RDONLY | O_NONBLOCK), end(errors, O_RDONLY | O_NONBLOCK)] as const
    const written = [end(input, O_WRONLY | O_NONBLOCK), end(output, O_WRONLY), end(errors, O_WRONLY)] as const
    const inside = [read[0], written[1], written[2]]
    return {
      inside,
      streams: () => ({
        stdin: new Socket({ fd: written[0], readable: false, writable: true }),
        stdout: new Socket({ fd: read[1], readable: true, writable: false }),
        stderr: new Socket({ fd: read[2], readable: true, writable: false }),
      }),
      release: (started) => closeAll(started ? inside : opened),
    }
  } catch {
    closeAll(opened)
    return socketPairs
  }
}
