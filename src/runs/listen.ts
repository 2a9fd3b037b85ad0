import type { EngineEvent, EngineUpdate, Stopped } from '../engines/engine.ts'
import { firstLine, lastLine } from './endings.ts'
import { redactEvents } from './redacted-events.ts'
import type { createSpending } from './spending.ts'
import type { Task } from './task.ts'
import type { Transcript } from './transcript.ts'

export type Told = {
  stopped: Stopped
  /** What may become the headline: an agent's last message begins with it, a program's output ends with it. */
  headline: string | null
  /** The last words, for a person who asks why it failed. */
  said: string | null
}

const keptCharacters = 4096

/** Hears an engine out: what it tells goes into the transcript, what it spends onto the bill, its session onto the run. */
export async function listen(
  task: Task,
  events: AsyncIterable<EngineEvent>,
  spending: ReturnType<typeof createSpending>,
): Promise<Told> {
  const transcript: Transcript = await task.tools.openTranscript(task.run.id, task.held.fence)
  let stopped: Stopped = { because: 'aborted', code: null, signal: null }
  const words = createLastWords()
  try {
    for await (const event of redactEvents(events, task.tools.redaction)) {
      if ('stopped' in event) stopped = event.stopped
      else if ('session' in event) await task.held.record({ session: event.session })
      else {
        await transcript.append({ at: new Date().toISOString(), ...event })
        words.hear(event)
        spending.hear(event)
      }
    }
  } finally {
    await task.held.storeTranscript(await transcript.close())
  }
  return { stopped, ...words.last() }
}

function createLastWords() {
  const words = { message: '', stdout: '', stderr: '' }
  let wasMessage = false
  return {
    hear(event: EngineUpdate): void {
      const isMessage = event.sessionUpdate === 'agent_message_chunk' && event.stream === undefined
      // A message of an agent ends when it does something else.
      if (isMessage && !wasMessage) words.message = ''
      if (event.sessionUpdate !== 'usage_update') wasMessage = isMessage
      if (event.sessionUpdate !== 'agent_message_chunk') return
      const { text } = event.content
      if (event.stream === undefined) words.message = (words.message + text).slice(0, keptCharacters)
      else words[event.stream] = (words[event.stream] + text).slice(-keptCharacters)
    },
    last: (): Pick<Told, 'headline' | 'said'> => ({
      headline: firstLine(words.message) ?? lastLine(words.stdout),
      said: lastLine(words.stderr) ?? lastLine(words.stdout) ?? firstLine(words.message),
    }),
  }
}
