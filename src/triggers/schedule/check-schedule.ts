import { isZone } from '../../routines/zone.ts'
import { parseCron } from './cron.ts'

/** What is wrong with a schedule a person wrote, and what to write instead; undefined = nothing. */
export function checkSchedule(cron: string, timezone: string): string | undefined {
  const parsed = parseCron(cron)
  if ('error' in parsed) return `cron ${JSON.stringify(cron)}: ${parsed.error}`
  return checkZone(timezone)
}

/** Zones are names of the IANA list. An offset such as +02:00 is refused: it would be wrong for half of the year, silently. */
function checkZone(timezone: string): string | undefined {
  if (/^[A-Z]/i.test(timezone) && isZone(timezone)) return undefined
  if (/^(?:UTC|GMT)?[+-]\d/i.test(timezone)) {
    return `timezone ${JSON.stringify(timezone)} is an offset: write the name of a place, such as Europe/Berlin, or UTC`
  }
  const near = nearestZone(timezone)
  return `timezone ${JSON.stringify(timezone)} is not known: ${near ? `did you mean ${near}?` : 'write a name such as Europe/Berlin, or UTC'}`
}

/** The zone whose name, or whose city, is written most alike; undefined when none is alike enough to be meant. */
function nearestZone(written: string): string | undefined {
  const wanted = written.trim().toLowerCase().replaceAll(' ', '_').slice(0, 64)
  const scored = ['UTC', ...Intl.supportedValuesOf('timeZone')].map((zone) => {
    const name = zone.toLowerCase()
    return { zone, score: Math.min(unlike(wanted, name), unlike(cityOf(wanted), cityOf(name)) + 0.01) }
  })
  const best = scored.reduce((a, b) => (b.score < a.score ? b : a))
  return best.score <= 0.25 ? best.zone : undefined
}

function cityOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

/** 0 = the same, 1 = nothing in common. */
function unlike(a: string, b: string): number {
  return distance(a, b) / Math.max(a.length, b.length, 1)
}

/** Levenshtein: how many letters to add, drop or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
