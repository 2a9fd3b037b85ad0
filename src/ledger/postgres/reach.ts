import { spokenOf } from './unreachable.ts'
import { LedgerUnreachable } from '../../errors.ts'

export type Reach = ReturnType<typeof createReach>

/** Whether the server was there when it was last asked, and how its failures are said. */
export function createReach(address: string) {
  const state = { isThere: true, backAt: -Infinity }
  const back = () => {
    state.isThere = true
    state.backAt = performance.now()
  }
  return {
    /** Rejects with LedgerUnreachable when the connection, not the statement, is what failed. */
    async ask<T>(act: () => Promise<T>): Promise<T> {
      try {
        const answer = await act()
        if (!state.isThere) back()
        return answer
      } catch (error) {
        const failure = spokenOf(error, address)
        state.isThere = !(failure instanceof LedgerUnreachable)
        throw failure
      }
    },
    isThere: () => state.isThere,
    reachedForMs: () => (state.isThere ? performance.now() - state.backAt : 0),
    /** Somebody else had lost it, and has reached it again. */
    isBack: back,
  }
}
