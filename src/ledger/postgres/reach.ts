import { spokenOf } from './unreachable.ts'
import { LedgerUnreachable } from '../../errors.ts'

export type Reach = ReturnType<typeof createReach>

/** Whether the server was there when it was last asked, and how its failures are said. */
export function createReach(address: string) {
  const state = { isThere: true }
  return {
    /** Rejects with LedgerUnreachable when the connection, not the statement, is what failed. */
    async ask<T>(act: () => Promise<T>): Promise<T> {
      try {
        const answer = await act()
        state.isThere = true
        return answer
      } catch (error) {
        const failure = spokenOf(error, address)
        state.isThere = !(failure instanceof LedgerUnreachable)
        throw failure
      }
    },
    isThere: () => state.isThere,
    /** Somebody else has reached it meanwhile. */
    isBack(): void {
      state.isThere = true
    },
  }
}
