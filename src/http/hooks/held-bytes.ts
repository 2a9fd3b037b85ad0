/** What one body holds while it arrives. Disposed when it is whole, or given up. */
export type HeldBody = Disposable & {
  /** Resolves when there is room for so many bytes more. */
  take(bytes: number): Promise<void>
  isWaiting(): boolean
  hasWaited(): boolean
}

/**
 * Room for bodies that are not whole yet, counted by what came and not by what was announced: who sends little holds little.
 * Whichever began first may always go on, so that one is always finished; `most` is passed by one body at the most.
 */
export function createHeldBytes(most: number): { begin(): HeldBody } {
  const bodies = new Set<{ bytes: number }>()
  const state = { bytes: 0, freed: Promise.withResolvers<void>() }
  const isFirst = (body: object) => bodies.values().next().value === body

  return {
    begin() {
      const body = { bytes: 0, isWaiting: false, hasWaited: false }
      bodies.add(body)
      return {
        isWaiting: () => body.isWaiting,
        hasWaited: () => body.hasWaited,
        async take(bytes) {
          body.isWaiting = true
          while (state.bytes + bytes > most && bodies.has(body) && !isFirst(body)) {
            body.hasWaited = true
            await state.freed.promise
          }
          body.isWaiting = false
          if (!bodies.has(body)) return
          body.bytes += bytes
          state.bytes += bytes
        },
        [Symbol.dispose]() {
          bodies.delete(body)
          state.bytes -= body.bytes
          state.freed.resolve()
          state.freed = Promise.withResolvers()
        },
      }
    },
  }
}
