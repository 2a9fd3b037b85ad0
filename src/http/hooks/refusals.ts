import { behind, OvernightError } from '../../errors.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Log } from '../../log.ts'

/** `count`: how many within that minute. */
type Refusal = { at: Date; count: number; reason: string }
export type Refusals = {
  /** Is this a refusal? Then it is told here: strangers decide how many there are, so one line a source and minute. */
  note(source: string, thrown: unknown): boolean
  last(source: string): Promise<Refusal | undefined>
}
type RefusalsOptions = { settings: Pick<Ledger['settings'], 'put' | 'find'>; log: Pick<Log, 'warn'>; everyMs?: number }
type Untold = { count: number; error: OvernightError }

/** Before the files are read any name may be meant. */
const mostSources = 100
const keyOf = (source: string) => `refused.${source}`

/** What became of events that nobody wrote down: the last of each source is kept for whoever looks for an event that is not there. */
export function createRefusals({ settings, log, everyMs = 60_000 }: RefusalsOptions): Refusals {
  const untold = new Map<string, Untold>()

  function tell(source: string, { count, error }: Untold): void {
    const reason = error.message.slice(0, 300)
    log.warn({ source, refused: count, reason, hint: error.hint }, 'events were refused')
    // A ledger that is away has told so itself; the log has the line.
    settings.put(keyOf(source), { count, reason }, 'service').catch(() => {})
    untold.set(source, { count: 0, error })
    setTimeout(() => {
      const since = untold.get(source)!
      if (since.count > 0) tell(source, since)
      else untold.delete(source)
    }, everyMs).unref()
  }

  return {
    note(source, thrown) {
      const error = behind(thrown)
      if (!isRefusal(error)) return false
      const before = untold.get(source)
      if (before) untold.set(source, { count: before.count + 1, error })
      else if (untold.size < mostSources) tell(source, { count: 1, error })
      return true
    },
    async last(source) {
      const row = await settings.find(keyOf(source))
      const { count, reason } = row?.value ?? {}
      return row && typeof count === 'number' && typeof reason === 'string' ? { at: row.at, count, reason } : undefined
    },
  }
}

/** Its sender or its operator has to do something; what is to be sent again later is another thing. */
function isRefusal(error: unknown): error is OvernightError {
  if (!(error instanceof OvernightError) || error.status === 404) return false
  return error.status < 500 || error.code === 'setup' || error.code === 'not_ready'
}
