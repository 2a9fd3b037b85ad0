/** Looking for changes takes at most this part of the time: ten thousand files are looked at every half minute, of which most are told. */
const share = 1 / 400
/** However slow a look was. */
const longestMs = 60_000

/** When it is time to look again: not before `everyMs`, and the later the longer the last look took. */
export function createPace(everyMs = 0) {
  const state = { dueAt: -Infinity }
  return {
    begin(): Disposable {
      const startedAt = performance.now()
      return {
        [Symbol.dispose]() {
          const now = performance.now()
          state.dueAt = startedAt + Math.max(everyMs, Math.min((now - startedAt) / share, longestMs))
        },
      }
    },
    isDue: (): boolean => performance.now() >= state.dueAt,
  }
}
