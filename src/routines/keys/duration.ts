import { z } from 'zod'

const rule = 'must be a duration such as 30m, 6h or 2d'
const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** How lengths of time are written: `30s`, `10m`, `6h`, `2d`. */
export const duration = z.string(rule).regex(/^[1-9]\d{0,4}[smhd]$/, rule)

/** Of what `duration` let through. */
export function millisecondsOf(written: string): number {
  return Number(written.slice(0, -1)) * (unitMs[written.slice(-1)] ?? 0)
}

/** As people write it, in the largest unit that leaves nothing over. */
export function writtenDuration(milliseconds: number): string {
  const [unit, size] = Object.entries(unitMs).findLast(([, ms]) => milliseconds % ms === 0) ?? ['s', 1000]
  return `${milliseconds / size}${unit}`
}
