import { setImmediate as turn } from 'node:timers/promises'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Read } from '../../ledger/watch.ts'
import type { RoutineVersion } from '../../ledger/schema.ts'
import type { Routine, Schedule } from '../../routines/routine.ts'
import { createNextSlot } from './expected-slots.ts'

export type Expected = { routine: string; at: Date }
type Known = { hash: string; schedules: readonly Schedule[]; next: Date | undefined }
type Tools = { ledger: Ledger; routineOf(version: Pick<RoutineVersion, 'file' | 'source'>): Routine }

/** Reading a text takes a millisecond: ten thousand are learned over some looks, and nobody waits for it. */
const learnMs = 1000
const texts = 500
const betweenReadings = 20
/** A slot that is older than this when a process first looks was somebody else's to watch. */
const backMs = 3_600_000
/** Slots that one look asks for; what is beyond is asked for by the next one. */
const most = 5000
const betweenTurns = 200

/** What every routine in force owes, found from its text; what the schedulers keep for themselves is not looked at. */
export function createKnownTexts({ ledger, routineOf }: Tools) {
  const known = new Map<string, Known>()
  const state = { read: undefined as Read | undefined }

  function schedulesOf(row: Pick<RoutineVersion, 'file' | 'source'>): readonly Schedule[] {
    try {
      return routineOf(row).schedules
    } catch {
      // A text that cannot be read any more is told of where it is to be fired.
      return []
    }
  }

  return {
    hashOf: (routine: string) => known.get(routine)?.hash,
    forget: (routine: string) => known.delete(routine),
    /** For a clock that was set back: everything is read again, in case it has hidden a change, and owes its slots from now. */
    startOver(now: Date): void {
      state.read = undefined
      const nextSlot = createNextSlot()
      for (const text of known.values()) text.next = nextSlot(text.schedules, now)
    },

    /** Takes in what was put in force since. */
    async learn(now: Date): Promise<void> {
      const until = performance.now() + learnMs
      const nextSlot = createNextSlot()
      while (performance.now() < until) {
        const rows = await ledger.watched.textsAfter(state.read, texts)
        for (const [index, { row, source }] of rows.entries()) {
          if (index % betweenReadings === betweenReadings - 1) await turn()
          if (performance.now() > until) return
          state.read = { at: row.appliedAt, name: row.name }
          if (known.get(row.name)?.hash === row.hash) continue
          const schedules = schedulesOf({ file: row.file, source })
          // What is to be put in force later was so by a clock that ran ahead.
          const appliedMs = Math.min(row.appliedAt.getTime(), now.getTime())
          const from = new Date(Math.max(appliedMs, now.getTime() - backMs))
          known.set(row.name, { hash: row.hash, schedules, next: nextSlot(schedules, from) })
        }
        if (rows.length < texts) return
      }
    },

    /** Slots up to `until` that were not handed out before. */
    async due(until: Date): Promise<Expected[]> {
      const found: Expected[] = []
      const nextSlot = createNextSlot()
      const oldest = new Date(until.getTime() - backMs)
      for (const [routine, text] of known) {
        if (text.next && text.next < oldest) text.next = nextSlot(text.schedules, oldest)
        while (text.next && text.next <= until && found.length < most) {
          found.push({ routine, at: text.next })
          text.next = nextSlot(text.schedules, text.next)
          if (found.length % betweenTurns === 0) await turn()
        }
      }
      return found
    },
  }
}
