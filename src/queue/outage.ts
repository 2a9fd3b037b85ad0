import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'

/**
 * What can be wrong, each for itself: the connection that jobs are handed out over, the one they are taken over, and
 * the taking itself, which a server may refuse on the best of connections.
 */
type Side = 'giver' | 'taker' | 'taking'

export type Outage = {
  /** Said in the log when nothing was wrong before: a client that tries again tells the same every second. */
  begin(side: Side, error: unknown): void
  end(side: Side): void
  isOn(): boolean
  /** From now on nothing is told: connections that end because they are closed. */
  close(): void
}

/** Whether the server does its part. `onEnd` is called when it does so again. */
export function createOutage({ log, server, onEnd }: { log: Log; server: string; onEnd: () => void }): Outage {
  const wrong = new Set<Side>()
  const state = { begunAt: 0, closed: false }
  return {
    begin(side, error) {
      if (state.closed) return
      if (wrong.size === 0) {
        state.begunAt = performance.now()
        log.warn(
          { error: messageOf(error) },
          `the queue at ${server} does not answer as it should; runs wait in the ledger and work goes on`,
        )
      }
      wrong.add(side)
    },
    end(side) {
      if (!wrong.delete(side) || wrong.size > 0 || state.closed) return
      const seconds = Math.round((performance.now() - state.begunAt) / 1000)
      log.info({ seconds }, `the queue at ${server} is back`)
      onEnd()
    },
    isOn: () => wrong.size > 0,
    close: () => void (state.closed = true),
  }
}
