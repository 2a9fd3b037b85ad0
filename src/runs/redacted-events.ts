import type { EngineEvent } from '../engines/engine.ts'
import type { RedactedStream, Redaction } from '../secrets/redaction.ts'

type Chunk = Extract<EngineEvent, { sessionUpdate: 'agent_message_chunk' | 'agent_thought_chunk' }>
type Open = { stream: RedactedStream; like: Chunk }

/**
 * What an engine tells, without the values that are known to be secret, also where one is told in pieces. The last characters of a
 * text wait for the next piece when a value may begin with them; what an agent says ends with what it does next.
 */
export async function* redactEvents(
  events: AsyncIterable<EngineEvent>,
  redaction: Pick<Redaction, 'all' | 'stream'>,
): AsyncGenerator<EngineEvent> {
  const open = new Map<string, Open>()
  function* close(which: (like: Chunk) => boolean): Generator<EngineEvent> {
    for (const [key, { stream, like }] of open) {
      if (!which(like)) continue
      open.delete(key)
      yield* withText(like, stream.end())
    }
  }
  for await (const event of events) {
    if ('stopped' in event) yield* close(() => true)
    if (!isChunk(event)) {
      if ('sessionUpdate' in event && event.sessionUpdate !== 'usage_update') yield* close(isSpeech)
      yield redaction.all(event)
      continue
    }
    const key = keyOf(event)
    if (isSpeech(event)) yield* close((like) => isSpeech(like) && keyOf(like) !== key)
    const { stream } = open.get(key) ?? { stream: redaction.stream() }
    open.set(key, { stream, like: event })
    yield* withText(event, stream.push(event.content.text))
  }
  yield* close(() => true)
}

function isChunk(event: EngineEvent): event is Chunk {
  return (
    'sessionUpdate' in event &&
    (event.sessionUpdate === 'agent_message_chunk' || event.sessionUpdate === 'agent_thought_chunk')
  )
}

/** What an agent says, as opposed to what a program prints. */
const isSpeech = (chunk: Chunk): boolean => !('stream' in chunk) || chunk.stream === undefined
const keyOf = (chunk: Chunk): string => `${chunk.sessionUpdate} ${'stream' in chunk ? chunk.stream : ''}`

function* withText(chunk: Chunk, text: string): Generator<EngineEvent> {
  if (text !== '') yield { ...chunk, content: { ...chunk.content, text } }
}
