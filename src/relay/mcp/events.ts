/** One event of a stream (html.spec.whatwg.org/multipage/server-sent-events.html), or that the stream lives. */
export type StreamEvent = { data: string; event: string; id: string | undefined; retry: string | undefined } | 'alive'

/** An event, or the line of one, that is longer ends the reading. */
export class EventTooLong extends Error {}

/** The events of a stream. What is not ended by an empty line is none. */
export async function* readEvents(chunks: AsyncIterable<Buffer>, mostCharacters: number): AsyncGenerator<StreamEvent> {
  const fields = openFields()
  for await (const line of readLines(chunks, mostCharacters)) {
    if (line.startsWith(':')) yield 'alive'
    else if (line === '') yield* fields.end()
    else if (fields.add(line) > mostCharacters) throw new EventTooLong('an event is too long')
  }
}

export function writeEvent(event: StreamEvent): string {
  if (event === 'alive') return ':\n\n'
  const { data, id, retry } = event
  return `${id === undefined ? '' : `id: ${id}\n`}${retry === undefined ? '' : `retry: ${retry}\n`}data: ${data}\n\n`
}

function openFields() {
  const state = {
    data: [] as string[],
    event: '',
    id: undefined as string | undefined,
    retry: undefined as string | undefined,
    held: 0,
  }
  return {
    /** How much is held now. */
    add(line: string): number {
      const [, name = '', value = ''] = /^([^:]*)(?:: ?([^]*))?$/.exec(line) ?? []
      if (name === 'data') state.data.push(value)
      else if (name === 'event') state.event = value
      else if (name === 'id' && !value.includes('\0')) state.id = value
      else if (name === 'retry' && /^\d{1,9}$/.test(value)) state.retry = value
      state.held += line.length
      return state.held
    },
    *end(): Generator<StreamEvent> {
      const { data, event, id, retry } = state
      Object.assign(state, { data: [], event: '', id: undefined, retry: undefined, held: 0 })
      if (data.length + (id?.length ?? 0) + (retry?.length ?? 0) > 0) yield { data: data.join('\n'), event, id, retry }
    },
  }
}

/** Lines end with \n, \r\n or \r. */
async function* readLines(chunks: AsyncIterable<Buffer>, mostCharacters: number): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let held: string[] = []
  let [length, wasReturn] = [0, false]
  for await (const chunk of chunks) {
    let text = decoder.decode(chunk, { stream: true })
    if (wasReturn && text.startsWith('\n')) text = text.slice(1)
    if (text !== '') wasReturn = text.endsWith('\r')
    const lines = text.split(/\r\n|[\n\r]/)
    const rest = lines.pop() ?? ''
    for (const [index, line] of lines.entries()) {
      yield index === 0 ? held.join('') + line : line
      if (index === 0) [held, length] = [[], 0]
    }
    held.push(rest)
    length += rest.length
    if (length > mostCharacters) throw new EventTooLong('a line is too long')
  }
}
