import type { Delivery } from '../ledger/schema.ts'
import { isMap } from './webhook/read-event.ts'

/**
 * What a delivery says. Whoever took it in has written it down as a JSON object, whatever it came as (its headers are still those it
 * came with). undefined: it is none all the same.
 */
export function payloadOf({ body }: Pick<Delivery, 'body'>): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return isMap(value) ? value : undefined
  } catch {
    return undefined
  }
}
