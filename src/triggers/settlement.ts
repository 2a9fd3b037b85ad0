import type { Delivery } from '../ledger/schema.ts'

export type Outcome = NonNullable<Delivery['outcome']>
/** What one routine made of a delivery. */
export type Ending = { routine: string; outcome: Outcome; reason: string | null }

/** A delivery ends with the most that any routine made of it. */
const ranked: readonly Outcome[] = ['fired', 'coalesced', 'skipped', 'refused', 'unmatched']
/** One sentence a routine; more than these help nobody. */
const maxReasons = 5

/**
 * What became of the delivery, with the reasons of every routine that made something else of it than the plain best; `why` none made
 * anything of it.
 */
export function settlementOf(
  endings: readonly Ending[],
  why: string | null = null,
): { outcome: Outcome; reason: string | null } {
  if (endings.length === 0) return { outcome: 'unmatched', reason: why === null ? null : kept(why) }
  const outcome = ranked.find((one) => endings.some((ending) => ending.outcome === one)) ?? 'unmatched'
  const told = endings.filter((ending) => ending.reason !== null).map(({ routine, reason }) => `${routine}: ${reason}`)
  const more = told.length > maxReasons ? [`and ${told.length - maxReasons} more`] : []
  const reason = [...told.slice(0, maxReasons), ...more].join('; ')
  return { outcome, reason: reason === '' ? null : kept(reason) }
}

/** With the pauses between them (1 s doubled up to 10 min): what may heal by itself has three days, as GitHub's own memory has. */
const triesOf = { healing: 440, other: 20 }

/** Whether a delivery that could not be settled is tried again. */
export function mayTryAgain(tries: number, isRetryable: boolean): boolean {
  return tries + 1 < (isRetryable ? triesOf.healing : triesOf.other)
}

/** Words of the outside as the ledger keeps text: Unicode without NUL, and no longer than a list shows. */
export const kept = (text: string): string => text.replaceAll('\0', '').toWellFormed().slice(0, 1000)
