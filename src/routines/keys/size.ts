import { z } from 'zod'

const rule = 'must be a size such as 512MB or 4GB'
const unitBytes: Record<string, number> = { MB: 1024 ** 2, GB: 1024 ** 3 }

/** How amounts of memory and disk are written: `512MB`, `4GB`. */
export const size = z.string(rule).regex(/^[1-9]\d{0,4}(MB|GB)$/, { error: rule, abort: true })

/** Of what `size` let through. */
export function bytesOf(written: string): number {
  return Number(written.slice(0, -2)) * (unitBytes[written.slice(-2)] ?? 0)
}

/** As people write it, in the largest unit that leaves nothing over. */
export function writtenSize(bytes: number): string {
  const [unit, of] = Object.entries(unitBytes).findLast(([, each]) => bytes % each === 0) ?? ['MB', 1024 ** 2]
  return `${bytes / of}${unit}`
}
