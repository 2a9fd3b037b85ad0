/** An instant as a clock and a calendar in the zone show it. */
export type LocalTime = { local: string; date: string; time: string; weekday: string; zone: string }

export function timeOf(at: Date, zone: string): LocalTime {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    weekday: 'long',
    hourCycle: 'h23',
  }).formatToParts(at)
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((found) => found.type === type)?.value ?? ''
  const [date, time] = [`${part('year')}-${part('month')}-${part('day')}`, `${part('hour')}:${part('minute')}`]
  return { local: `${date} ${time}`, date, time, weekday: part('weekday'), zone }
}

/** `Monday 2026-03-02 02:00 (Europe/Berlin)`. */
export function describeTime(at: Date, zone: string): string {
  const { weekday, local } = timeOf(at, zone)
  return `${weekday} ${local} (${zone})`
}
