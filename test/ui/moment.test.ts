import { expect, test } from 'vitest'
import { ago, clockText, duration, exactly } from '../../src/ui/moment.ts'

const now = new Date('2026-11-20T05:31:00Z')
const away = (minutes: number) => new Date(now.getTime() + minutes * 60_000)

test.each([
  [0, 'just now'],
  [-0.9, 'just now'],
  [0.5, 'in a moment'],
  [-1, '1 min ago'],
  [-59.9, '59 min ago'],
  [-60, '1 h ago'],
  [19 * 60, 'in 19 h'],
  [-47 * 60, '47 h ago'],
  [-48 * 60, '2 days ago'],
])('%d minutes away is %j', (minutes, text) => {
  expect(ago(away(minutes), now)).toBe(text)
})

test.each([
  [-5, '0.0 s'],
  [430, '0.4 s'],
  [12_900, '12 s'],
  [60_000, '1 min'],
  [185_000, '3 min 5 s'],
  [7_440_000, '2 h 4 min'],
  [7_200_000, '2 h'],
])('%d ms take %j', (ms, text) => {
  expect(duration(ms)).toBe(text)
})

test.each([
  ['2026-11-20T01:14:03Z', 'Europe/Berlin', '02:14'],
  ['2026-11-20T23:00:00Z', 'Europe/Berlin', '00:00'],
  ['2026-11-19T01:14:03Z', 'Europe/Berlin', '19 Nov, 02:14'],
  ['2026-11-20T01:14:03Z', 'America/New_York', '20:14'],
])('%s in %s is %j', (at, zone, text) => {
  expect(clockText(new Date(at), { now, zone })).toBe(text)
})

test('the exact instant names its zone, on both sides of a change of the clock', () => {
  expect(exactly(new Date('2026-10-25T00:30:00Z'), 'Europe/Berlin')).toBe('Sun, 25 Oct 2026, 02:30:00, Europe/Berlin')
  expect(exactly(new Date('2026-10-25T01:30:00Z'), 'Europe/Berlin')).toBe('Sun, 25 Oct 2026, 02:30:00, Europe/Berlin')
})
