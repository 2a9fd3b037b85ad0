/** `state` = the ledger has something new; `output` = only a transcript grew; `quiet` = the time is up, or nobody listens any more. */
type NewsKind = 'state' | 'output' | 'quiet'

/** Wakes whoever follows a run when it has news. */
export type News = {
  /** Resolves at the next news of `run` (undefined = of any run), at the latest after `timeoutMs`, or on abort. Never rejects. */
  next(run: string | undefined, options: { timeoutMs: number; signal: AbortSignal }): Promise<NewsKind>
  /** `undefined`: any run may have news. */
  tell(run: string | undefined, kind: 'state' | 'output'): void
}

export function createNews(): News {
  const waiting = new Map<object, { run: string | undefined; wake: (kind: NewsKind) => void }>()
  return {
    next(run, { timeoutMs, signal }) {
      return new Promise((resolve) => {
        const key = {}
        const done = (kind: NewsKind) => {
          waiting.delete(key)
          clearTimeout(timer)
          signal.removeEventListener('abort', quiet)
          resolve(kind)
        }
        const quiet = () => done('quiet')
        const timer = setTimeout(quiet, timeoutMs)
        waiting.set(key, { run, wake: done })
        signal.addEventListener('abort', quiet)
        if (signal.aborted) quiet()
      })
    },
    tell(run, kind) {
      const concerns = (waiter: { run: string | undefined }) =>
        run === undefined || waiter.run === undefined || waiter.run === run
      for (const waiter of waiting.values()) if (concerns(waiter)) waiter.wake(kind)
    },
  }
}
