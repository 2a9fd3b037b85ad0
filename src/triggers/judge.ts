import { setImmediate as macrotask } from 'node:timers/promises'
import { OvernightError } from '../errors.ts'
import type { Delivery } from '../ledger/schema.ts'
import type { Routine } from '../routines/routine.ts'
import type { OutsideEvent, Source, Verdict } from './source.ts'

/** So long at a time. */
const turnMs = 5
/** A forge that does not answer in this time holds up its own events alone. */
const patienceMs = 10_000

export type Judged = { routine: Routine; verdict: Exclude<Verdict, { act: 'pass' | 'unknown' }> }
/** What a delivery says and what the routines make of it (`why` they make nothing, where that can be told); or why it can never be read. */
export type Judgement =
  | { trigger: Source['trigger']; event: OutsideEvent; judged: Judged[]; why: string | null }
  | { refused: string }

class JudgedTooLong extends OvernightError {
  constructor() {
    const message = `what it asks for was not answered in ${patienceMs / 1000} s`
    super(message, { code: 'judged_too_long', retryable: true })
  }
}

class NotKnownYet extends OvernightError {
  constructor(why: string) {
    super(why, { code: 'not_known_yet', retryable: true })
  }
}

/** Nothing of this is the ledger's: it may take as long as a forge takes, and is done before the transaction. */
export async function judge(
  delivery: Delivery,
  source: Source | undefined,
  routines: readonly Routine[],
): Promise<Judgement> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new JudgedTooLong()), patienceMs)
  try {
    return await Promise.race([decide(delivery, source, routines), late.promise])
  } finally {
    clearTimeout(timer)
  }
}

async function decide(
  delivery: Delivery,
  source: Source | undefined,
  routines: readonly Routine[],
): Promise<Judgement> {
  if (!source) return { refused: `nothing here reads deliveries of ${delivery.source}` }
  const event = source.read(delivery)
  if ('refused' in event) return event
  const judged: Judged[] = []
  let unknown: string | undefined
  let since = performance.now()
  const listening = routines.filter((one) => source.listens(one))
  for (const routine of listening) {
    const verdict = await source.decide(event, routine)
    if (verdict.act === 'unknown') unknown ??= verdict.why
    else if (verdict.act !== 'pass') judged.push({ routine, verdict })
    // A condition may cost some milliseconds, and others wait for this thread, too.
    if (performance.now() - since < turnMs) continue
    await macrotask()
    since = performance.now()
  }
  // Those it is for in any case do not wait for what is found out about others: the price is one of these, in the first moments.
  if (unknown !== undefined && judged.length === 0) throw new NotKnownYet(unknown)
  const why = judged.length > 0 ? null : whyNobody(source, event, listening)
  return { trigger: source.trigger, event, judged, why }
}

function whyNobody(source: Source, event: OutsideEvent, listening: readonly Routine[]): string | null {
  return source.whyNobody?.(event, listening) ?? null
}
