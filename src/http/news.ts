/** Wakes whoever follows a run when it has news. */
export type News = {
  /** Resolves at the next news of `run` (undefined = of any run), at the latest after `timeoutMs`, or on abort. Never rejects. */
  next(run: string | undefined, options: { timeoutMs: number; signal: AbortSignal }): Promise<void>
  tell(run: string): void
}

export function createNews(): News {
  const waiting = new Map<object, { run: string | undefined; wake: () => void }>()
  return {
    next(run, { timeoutMs, signal }) {
      return new Promise((resolve) => {
        const key = {}
        const done = () => {
          waiting.delete(key)
          clearTimeout(timer)
          signal.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, timeoutMs)
        waiting.set(key, { run, wake: done })
        signal.addEventListener('abort', done)
        if (signal.aborted) done()
      })
    },
    tell(run) {
      for (const waiter of waiting.values()) if (waiter.run === undefined || waiter.run === run) waiter.wake()
    },
  }
}
