import { z } from 'zod'
import { occasionOutcomes, type Place } from '../../ledger/occasions.ts'

/** Where a page of a list ended, as callers hand it back. */
export const writePlace = ({ at, what }: Place): string => `${at}~${what}`

const place = z
  .string()
  .regex(/^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z~(slot|delivery):.{1,200}$/su, 'must be `next` of an earlier answer')
  .transform((text): Place => {
    const end = text.indexOf('~')
    return { at: text.slice(0, end), what: text.slice(end + 1) }
  })

/** What both lists can be narrowed by. */
export const OccasionsQuery = z.object({
  routine: z.string().max(200).optional(),
  outcome: z.enum(occasionOutcomes).optional(),
  before: place.optional().describe('`next` of the answer before: what comes after it.'),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})
export const DeliveriesQuery = OccasionsQuery.extend({
  source: z.string().max(200).optional(),
  event: z.string().max(200).optional(),
})

/** The place to go on from, while there may be more. */
export function nextOf(rows: readonly { place: Place }[], limit: number): string | null {
  const last = rows.at(-1)
  return last && rows.length === limit ? writePlace(last.place) : null
}
