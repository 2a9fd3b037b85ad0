import type { Context } from 'hono'
import { BadRequest } from '../../errors.ts'

/** What the caller calls this request, so that a repeated one is done once; undefined when it does not say. */
export function readIdempotencyKey(c: Context): string | undefined {
  const key = c.req.header('idempotency-key')
  if (key === undefined || isKey(key)) return key
  throw new BadRequest('Idempotency-Key must be 1 to 200 visible ASCII characters', 'send a UUID')
}

export function isKey(text: unknown): text is string {
  return typeof text === 'string' && /^[\x21-\x7e]{1,200}$/.test(text)
}
