/** Items of all sources as they come; a source is asked for its next only when the last was taken, and none can starve the others. */
export async function* merge<T>(sources: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  const ask = (source: AsyncGenerator<T>) => source.next().then((result) => ({ source, result }))
  const waiting = new Map(sources.map((source) => [source, ask(source)]))
  try {
    while (waiting.size > 0) {
      const { source, result } = await Promise.race(waiting.values())
      // Taken out and put back at the end: the race is won by the first of those that are ready.
      waiting.delete(source)
      if (result.done) continue
      yield result.value
      waiting.set(source, ask(source))
    }
  } finally {
    for (const source of waiting.keys()) void source.return(undefined).catch(() => undefined)
  }
}
