/** `state` = the ledger has something new; `output` = only a transcript grew; `quiet` = the time is up, or nobody listens any more. */
type NewsKind = 'state' | 'output' | 'quiet'

/** `only`: a transcript that grows does not wake. */
type NewsOptions = { timeoutMs: number; signal: AbortSignal; only?: 'state' }

/** Wakes whoever follows a run when it has news. */
export type News = {
  /** Resolves at the next news of `run` (undefined = of any run), at the latest after `timeoutMs`, or on abort. Never rejects. */
  next(run: string | undefined, options: NewsOptions): Promise<NewsKind>
  /** `undefined`: any run may have news. */
  tell(run: string | undefined, kind: 'state' | 'output'): void
}

type Waiter = { run: string | undefined; only: 'state' | undefined; wake(kind: NewsKind): void }

export function createNews(): News {
  const waiting = new Map<object, Waiter>()
  return {
    next(run, { timeoutMs, signal, only }) {
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
        waiting.set(key, { run, only, wake: done })
        signal.addEventListener('abort', quiet)
        if (signal.aborted) quiet()
      })
    },
    tell(run, kind) {
      const concerns = (waiter: Waiter) =>
        (run === undefined || waiter.run === undefined || waiter.run === run) &&
        (waiter.only === undefined || waiter.only === kind)
      for (const waiter of waiting.values()) if (concerns(waiter)) waiter.wake(kind)
    },
  }
}
