import { cronOf } from '../../../../src/triggers/schedule/cron.ts'
import { nextFire } from '../../../../src/triggers/schedule/next-fire.ts'
import type { Case } from './cases.ts'
import { nextByTheRule } from './due.ts'
import type { Segment } from './zone-files.ts'

/** `data`: the files of this machine and Node's own tell other clocks for that time, so nothing can be said about the code. */
export type Verdict = { verdict: 'same' | 'different' | 'data'; ours: string; theirs: string }

export function compare({ pattern, zone, segments, after }: Case): Verdict {
  const ours = nextFire(cronOf(pattern.text), zone, new Date(after))?.getTime()
  const theirs = nextByTheRule(pattern, segments, after)
  const told = { ours: shown(ours), theirs: shown(theirs) }
  if (ours === theirs) return { verdict: 'same', ...told }
  const seen = [after, ours ?? after, theirs ?? after]
  return { verdict: isOneClock(zone, segments, seen) ? 'different' : 'data', ...told }
}

function shown(at: number | undefined): string {
  return at === undefined ? 'never' : new Date(at).toISOString()
}

const hourMs = 3_600_000

/** Does Intl show what the files say, in every half hour of the days around these instants? */
function isOneClock(zone: string, segments: readonly Segment[], instants: readonly number[]): boolean {
  const options = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', calendar: 'gregory', ...options })
  const wallAt = (at: number) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    const [year, month, day] = [parts.get('year')!, parts.get('month')!, parts.get('day')!]
    return Date.UTC(year, month - 1, day, parts.get('hour'), parts.get('minute'))
  }
  return instants.every((instant) => {
    const start = Math.floor(instant / hourMs) * hourMs
    return Array.from({ length: 30 * 4 }, (_, index) => start + (index / 2 - 30) * hourMs).every((at) => {
      const { offset } = segments.findLast(({ from }) => from <= at)!
      return wallAt(at) === Math.floor((at + offset) / 60_000) * 60_000
    })
  })
}
