import type { Container } from 'dockerode'
import type { Duplex, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { messageOf, type StepFailed } from '../../errors.ts'
import { soon } from './daemon.ts'
import { exitOfContainer } from './exit.ts'
import { firstLine, unframe } from './frames.ts'
import { endings } from '../commands/endings.ts'
import type { Hold } from '../commands/hold.ts'
import { createOutlet } from '../commands/outlet.ts'
import { noAgent, noSandbox, notStartable } from '../commands/refused.ts'
import type { SandboxProcess } from '../sandbox.ts'

export type ContainerStart = {
  /** Made, not started. */
  container: Container
  /** What its first process must be told before it says anything. */
  told: string
  argv: readonly string[]
  env: Readonly<Record<string, string>>
  cwd: string
  signal: AbortSignal | undefined
  explain(error: unknown): StepFailed
}

/** Resolves when the command runs; the container is removed when it has ended, and when it could not be started. */
export async function startContainer(start: ContainerStart): Promise<SandboxProcess> {
  const { container, signal } = start
  const { stdin, stdout, stderr } = await attach(container).catch(async (error: unknown) => {
    await remove(container)
    throw start.explain(error)
  })
  const errors = createOutlet(stderr)
  const { hold, wasAsked } = holdContainer(container)
  const exited = exitOfContainer(container, wasAsked)
  try {
    await soon(container.start())
  } catch (error) {
    for (const stream of [stdin, stdout, stderr]) stream.destroy()
    await remove(container)
    throw refusalOf(start, error)
  }
  const { exit, kill, interrupt } = endings(hold, exited, signal)
  stdin.write(start.told)
  const answer = await firstLine(stdout)
  const output = createOutlet(stdout)
  const close = () => {
    stdin.destroy()
    output.finish()
    errors.finish()
  }
  void exit.finally(close)
  if (answer !== 'started') {
    await kill(0)
    signal?.throwIfAborted()
    throw await explainAnswer(start, answer, errors.stream)
  }
  if (signal?.aborted) await exit
  signal?.throwIfAborted()
  return { stdin, stdout: output.stream, stderr: errors.stream, exit, kill, interrupt }
}

/** A connection each: on one for all, output that nobody reads would hold up the other and the input. */
async function attach(container: Container): Promise<{ stdin: Duplex; stdout: Readable; stderr: Readable }> {
  const way = { stream: true, logs: false }
  const input = (await container.attach({ ...way, stdin: true, hijack: true })) as Duplex
  // A command that never reads its input closes it: that is its right, not an error of ours.
  input.on('error', () => undefined)
  input.resume()
  const output = async (streams: { stdout?: true; stderr?: true }) =>
    unframe((await container.attach({ ...way, ...streams })) as unknown as Readable)
  return { stdin: input, stdout: await output({ stdout: true }), stderr: await output({ stderr: true }) }
}

function holdContainer(container: Container): { hold: Hold; wasAsked(): boolean } {
  let asked = false
  const send = (signal: string) => void container.kill({ signal }).catch(() => undefined)
  const end = (signal: string) => {
    asked = true
    send(signal)
  }
  return {
    wasAsked: () => asked,
    hold: {
      terminate: () => end('SIGTERM'),
      interrupt: () => send('SIGINT'),
      destroy: () => end('SIGKILL'),
      gone: async () => undefined,
    },
  }
}

async function remove(container: Container): Promise<void> {
  await soon(container.remove({ force: true, v: true })).catch(() => undefined)
}

function refusalOf(start: ContainerStart, error: unknown): StepFailed {
  const said = messageOf(error)
  if (/argument list too long|invalid argument/.test(said))
    return notStartable(start.argv[0], 'argument list too long', error)
  return start.explain(error)
}

async function explainAnswer(start: ContainerStart, answer: string, errors: Readable): Promise<StepFailed> {
  if (answer === 'missing') return noAgent(start)
  if (answer === 'nowhere') return noSandbox(`there is no folder ${JSON.stringify(start.cwd)} in it`)
  if (answer !== '') return noSandbox(`the way out of it is ${answer}`)
  return noSandbox((await text(errors)) || 'its first process ended without a word')
}
