/**
 * Items of all sources as they come; a source is asked for its next only when the last was taken, and none can starve the others.
 * Not by Promise.race: every race would stay chained to the promise of a silent source, with the item it was won by.
 */
export async function* merge<T>(sources: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  const ready: { source: AsyncGenerator<T>; next: Promise<IteratorResult<T>> }[] = []
  let wake = () => {}
  const ask = (source: AsyncGenerator<T>) => {
    const next = source.next()
    const arrive = () => {
      ready.push({ source, next })
      wake()
    }
    next.then(arrive, arrive)
  }
  sources.forEach(ask)
  for (let open = sources.length; open > 0;) {
    const first = ready.shift()
    if (first === undefined) {
      await new Promise<void>((resolve) => (wake = resolve))
      continue
    }
    const { done, value } = await first.next
    if (done) {
      open -= 1
      continue
    }
    yield value
    ask(first.source)
  }
}
