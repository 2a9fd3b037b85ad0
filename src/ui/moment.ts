import { html, type Html } from './html.ts'

/** When the page is read, and in which IANA zone the service tells time; the browser retells it in the reader's. */
export type Clock = { now: Date; zone: string }

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** "5 min ago", "in 3 h", "just now". */
export function ago(at: Date, now: Date): string {
  const away = Math.abs(at.getTime() - now.getTime())
  if (away < minute) return at > now ? 'in a moment' : 'just now'
  const span = wholeSpan(away)
  return at > now ? `in ${span}` : `${span} ago`
}

function wholeSpan(ms: number): string {
  if (ms < hour) return `${Math.floor(ms / minute)} min`
  if (ms < 2 * day) return `${Math.floor(ms / hour)} h`
  return `${Math.floor(ms / day)} days`
}

/** A duration as people say it: "0.4 s", "12 s", "3 min 5 s", "2 h 4 min". */
export function duration(ms: number): string {
  if (ms < 1000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return two(Math.floor(seconds / 60), 'min', `${seconds % 60} s`)
  return two(Math.floor(seconds / 3600), 'h', `${Math.floor((seconds % 3600) / 60)} min`)
}
const two = (count: number, unit: string, rest: string) => `${count} ${unit}${rest.startsWith('0 ') ? '' : ` ${rest}`}`

/** "02:14" within a day of reading, else "19 Nov, 22:14". */
export function clockText(at: Date, { now, zone }: Clock): string {
  const isNear = Math.abs(at.getTime() - now.getTime()) < day
  const date = isNear ? {} : ({ day: 'numeric', month: 'short' } as const)
  return at.toLocaleString('en-GB', { timeZone: zone, ...date, hour: '2-digit', minute: '2-digit' })
}

/** The instant to the second, with its zone. */
export function exactly(at: Date, zone: string): string {
  const text = at.toLocaleString('en-GB', {
    timeZone: zone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  return `${text}, ${zone}`
}

/** Clock time and distance in words; to the second and with the zone (a routine's, where it has one) on hover. */
export function moment(at: Date, clock: Clock, zone = clock.zone): Html {
  const iso = at.toISOString()
  return html`<time datetime="${iso}" title="${exactly(at, zone)}"
    ><span data-clock>${clockText(at, clock)}</span>, <span data-ago>${ago(at, clock.now)}</span></time
  >`
}

/** The clock time alone, where a list already says which day it is. */
export function clockTime(at: Date, clock: Clock): Html {
  return html`<time datetime="${at.toISOString()}" title="${exactly(at, clock.zone)}"
    ><span data-clock>${clockText(at, clock)}</span></time
  >`
}
