/** What was found out, asked for once; `standsMs` says for how long an answer counts (Infinity: until it is forgotten). */
export function remember<T>(find: () => Promise<T>, standsMs: (found: T) => number) {
  let known: Promise<T> | undefined
  let untilMs = Infinity
  function forget(): void {
    known = undefined
    untilMs = Infinity
  }
  function ask(): Promise<T> {
    if (performance.now() >= untilMs) forget()
    known ??= find().then((found) => {
      untilMs = performance.now() + standsMs(found)
      return found
    })
    return known
  }
  return { ask, forget }
}

/** What does not work may be put right while the service runs, and need not be asked for each run. */
export const doubtMs = 30_000
