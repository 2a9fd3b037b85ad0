import type { Ledger } from '../../ledger/ledger.ts'
import type { RoutineVersion } from '../../ledger/schema.ts'
import { messageOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { createInTurn } from '../../routines/library/in-turn.ts'
import type { Routine } from '../../routines/routine.ts'
import { followClockBack } from './follow-clock-back.ts'
import { acceptDue } from './accept-slots.ts'
import { settleOwed } from './settle-slots.ts'

export type SchedulerTools = {
  ledger: Ledger
  routineOf(version: RoutineVersion): Routine
  /** There may be a run to hand out. */
  wake(): void
  log: Log
}
export type Scheduler = AsyncDisposable & {
  /** What is due becomes rows, and that is on disk when this resolves; what becomes of them begins then. */
  tick(): Promise<void>
  /** Every owed slot is tried; resolves when that is over. */
  settle(): Promise<void>
}

/**
 * Accepting a slot is one thing, acting on it another: the rows of a crowd at midnight are on disk within the second, and their
 * runs follow as fast as the ledger takes them, whoever is left to do it.
 */
export function createScheduler({ ledger, routineOf, wake, log }: SchedulerTools): Scheduler {
  const stopping = new AbortController()
  const settling = createInTurn(() =>
    settleOwed({
      ledger,
      routineOf,
      signal: stopping.signal,
      onSettled: wake,
      onTrouble: ({ routine, at }, error) =>
        log.error({ routine, slot: at, error: messageOf(error) }, 'a slot stays owed; it is tried again'),
    }),
  )
  const state = { last: undefined as Date | undefined }
  /** Who ran ahead may have been another process, before this one began. */
  async function keepUp(now: Date): Promise<void> {
    if (state.last === undefined || now < state.last) {
      const { schedules, slots } = await followClockBack(ledger)
      const found = { schedules, slots }
      if (schedules + slots > 0) log.warn(found, 'the clock of the ledger ran ahead; what it passed over is due again')
    }
    state.last = now
  }
  const settle = () => (stopping.signal.aborted ? Promise.resolve() : settling.run())
  return {
    settle,
    async tick() {
      while (!stopping.signal.aborted) {
        const { now, due, moved } = await acceptDue(ledger)
        await keepUp(now)
        // The tick that asks every few seconds says what is wrong.
        if (moved > 0) void settle().catch(() => {})
        // Others have what is left: they are moving it now.
        if (due === 0 || moved === 0) return
      }
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await settling.idle()
    },
  }
}
