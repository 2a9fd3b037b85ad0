export type Settle = Disposable & { touch(): void }

/**
 * Calls `act` once things have been quiet for `quietMs`, and at the latest `latestMs` after the first touch, so that an editor
 * that writes in several steps is read when it is done. Timers never keep the process alive.
 */
export function createSettle(act: () => void, { quietMs, latestMs }: { quietMs: number; latestMs: number }): Settle {
  const state: { timer: NodeJS.Timeout | undefined; firstAt: number | undefined; closed: boolean } = {
    timer: undefined,
    firstAt: undefined,
    closed: false,
  }
  return {
    touch() {
      if (state.closed) return
      clearTimeout(state.timer)
      const now = performance.now()
      state.firstAt ??= now
      const left = Math.max(0, state.firstAt + latestMs - now)
      state.timer = setTimeout(
        () => {
          state.firstAt = undefined
          act()
        },
        Math.min(quietMs, left),
      ).unref()
    },
    [Symbol.dispose]() {
      state.closed = true
      clearTimeout(state.timer)
    },
  }
}
