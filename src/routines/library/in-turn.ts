export type InTurn = {
  /** Starts now, or once more after the one that runs; everybody who asked meanwhile shares that one. */
  run(): Promise<void>
  /** Resolves when nothing runs or waits. Never rejects. */
  idle(): Promise<void>
}

/** One at a time, and never more than one waiting: the later look sees what the earlier ones were asked for. */
export function createInTurn(act: () => Promise<void>): InTurn {
  const state: { running: Promise<void> | undefined; waiting: Promise<void> | undefined } = {
    running: undefined,
    waiting: undefined,
  }
  const run = (): Promise<void> => {
    if (state.running) {
      state.waiting ??= state.running
        .catch(() => {})
        .then(() => {
          state.waiting = undefined
          return run()
        })
      return state.waiting
    }
    state.running = act().finally(() => {
      state.running = undefined
    })
    return state.running
  }
  const idle = async (): Promise<void> => {
    while (state.waiting ?? state.running) await (state.waiting ?? state.running)?.catch(() => {})
  }
  return { run, idle }
}
