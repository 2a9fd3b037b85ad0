import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { changesByRule } from './posix-rule.ts'

const folder = '/usr/share/zoneinfo'

/** For `need(…)`. */
export const zoneFilesMissing = existsSync(join(folder, 'Europe/Berlin')) ? undefined : `time zone files in ${folder}`

/** From `from` (ms, inclusive) until the next one begins, clocks show instant + offset. */
export type Segment = { from: number; offset: number }

/** Until here the rule at the end of a file is written out. */
const lastYear = 2110

/** Names of zones that Node knows and this machine has a file of. */
export function zoneNames(): string[] {
  const known = ['UTC', ...Intl.supportedValuesOf('timeZone')]
  return [...new Set(known)].filter((zone) => existsSync(join(folder, zone))).toSorted()
}

/** Release of the tz database: of these files, and of Node, which brings its own. */
export function releases(): { files: string; node: string } {
  const said = /^# version (\S+)/.exec(readFileSync(join(folder, 'tzdata.zi'), 'utf8'))?.[1]
  return { files: said ?? 'unknown', node: process.versions['tz'] ?? 'unknown' }
}

/** The offsets of a zone for all time, read from its compiled file (RFC 9636), oldest first. */
export function segmentsOf(zone: string): Segment[] {
  const file = readFileSync(join(folder, zone))
  const first = blockAt(file, 0)
  const block = blockAt(file, first.end(4))
  if (block.version < 2) throw new Error(`${zone}: a file of version 1 has no 64-bit times`)
  const { timecnt, typecnt } = block
  const times = Array.from({ length: timecnt }, (_, index) => Number(file.readBigInt64BE(block.start + index * 8)))
  const types = file.subarray(block.start + timecnt * 8, block.start + timecnt * 9)
  const records = block.start + timecnt * 9
  const offsets = Array.from({ length: typecnt }, (_, type) => file.readInt32BE(records + type * 6) * 1000)
  const segments: Segment[] = [{ from: -Infinity, offset: offsets[0]! }]
  for (const [index, time] of times.entries()) segments.push({ from: time * 1000, offset: offsets[types[index]!]! })
  const footer = file.toString('latin1', block.end(8)).trim()
  const last = segments.at(-1)!.from
  return merged([...segments, ...changesByRule(footer, lastYear).filter(({ from }) => from > last)])
}

function blockAt(file: Buffer, at: number) {
  if (file.toString('latin1', at, at + 4) !== 'TZif') throw new Error('not a compiled time zone file')
  const count = (index: number) => file.readUInt32BE(at + 20 + index * 4)
  const [isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt] = [0, 1, 2, 3, 4, 5].map(count) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const start = at + 44
  const end = (size: 4 | 8) =>
    start + timecnt * (size + 1) + typecnt * 6 + charcnt + leapcnt * (size + 4) + isstdcnt + isutcnt
  return { version: Number(file.toString('latin1', at + 4, at + 5)) || 1, timecnt, typecnt, start, end }
}

/** Without changes that change no offset (a new name, or summer time by another law). */
function merged(segments: readonly Segment[]): Segment[] {
  return segments.filter((segment, index) => segment.offset !== segments[index - 1]?.offset)
}
