import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { Exit, Sandbox } from '../../sandboxes/sandbox.ts'
import type { RedactedStream } from '../../secrets/redaction.ts'

export type SetupCommand = {
  sandbox: Pick<Sandbox, 'spawn'>
  argv: readonly string[]
  cwd: string
  env: Record<string, string>
  signal: AbortSignal
  /** For each of its streams: nothing is kept that did not go through it. */
  redact(): RedactedStream
}

/** Of the beginning and of the end of what it says, this much each. */
const keptCharacters = 4000

/**
 * A command of a setup step, to its end: what it started ends with it. Rejects with the signal's reason when that fires, and
 * with StepFailed('no_agent') when there is no such program.
 */
export async function runSetupCommand(command: SetupCommand): Promise<{ exit: Exit; said: string }> {
  const { sandbox, argv, cwd, env, signal, redact } = command
  const process = await sandbox.spawn(argv, { cwd, env, signal })
  process.stdin.end()
  const said = createEnds()
  await Promise.all([process.stdout, process.stderr].map((stream) => hear(stream, redact(), said.add)))
  const exit = await process.exit
  signal.throwIfAborted()
  return { exit, said: said.text() }
}

async function hear(stream: Readable, redacted: RedactedStream, add: (text: string) => void): Promise<void> {
  const decoder = new StringDecoder('utf8')
  for await (const chunk of stream as AsyncIterable<Buffer>) add(redacted.push(decoder.write(chunk)))
  add(redacted.push(decoder.end()) + redacted.end())
}

/** Both ends of a text that may be long. */
function createEnds() {
  let [first, last, leftOut] = ['', '', 0]
  return {
    add(text: string): void {
      const room = last === '' ? keptCharacters - first.length : 0
      first += text.slice(0, room)
      last += text.slice(room)
      // Seldom, because each time copies what is kept.
      if (last.length > 4 * keptCharacters) cut()
    },
    text(): string {
      cut()
      return leftOut === 0 ? first + last : `${first}\n… ${leftOut.toLocaleString('en-US')} characters …\n${last}`
    },
  }
  function cut(): void {
    leftOut += Math.max(0, last.length - keptCharacters)
    last = last.slice(-keptCharacters)
  }
}
