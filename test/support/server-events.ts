export type ServerEvent = { id: string; event: string; data: unknown }

/** Server-sent events as the HTML standard (9.2.6) frames them, until the stream ends or the reader stops. */
export async function* serverEvents(answer: Response): AsyncGenerator<ServerEvent> {
  let buffer = ''
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (buffer + chunk).split('\n\n')
    buffer = blocks.pop()!
    for (const block of blocks) {
      const lines = block.split('\n').map((line) => /^(\w+): ?(.*)$/.exec(line))
      const field = (name: string) => lines.flatMap((found) => (found?.[1] === name ? [found[2]!] : [])).join('\n')
      if (lines.some((found) => found?.[1] === 'data')) {
        yield { id: field('id'), event: field('event'), data: JSON.parse(field('data') || 'null') }
      }
    }
  }
}
