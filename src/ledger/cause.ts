import { createHash } from 'node:crypto'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** 80 bits of the cause's hash in Crockford's base 32, lower case: the same cause is the same id, for ever. */
export function idOf(...cause: readonly string[]): string {
  const digest = createHash('sha256').update(cause.join('\0')).digest()
  const bits = [...digest.subarray(0, 10)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return Array.from(
    { length: 16 },
    (_, index) => alphabet[Number.parseInt(bits.slice(index * 5, index * 5 + 5), 2)],
  ).join('')
}
