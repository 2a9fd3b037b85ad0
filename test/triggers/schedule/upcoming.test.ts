import { expect, test } from 'vitest'
import { localTime, upcoming } from '../../../src/triggers/schedule/upcoming.ts'

const berlin = { routine: 'tidy', cron: '30 2 * * *', timezone: 'Europe/Berlin' }
const newYork = { routine: 'triage', cron: '0 20 * * SAT', timezone: 'America/New_York' }

test('merges schedules, soonest first, with local time and the days clocks change', () => {
  const rows = [...upcoming([newYork, berlin], new Date('2026-03-27T12:00Z'), 3)]
  expect(
    rows.map(({ schedule, at, local, transitionDay }) => [schedule.routine, at.toISOString(), local, transitionDay]),
  ).toEqual([
    ['tidy', '2026-03-28T01:30:00.000Z', '2026-03-28 02:30 +01:00', false],
    ['triage', '2026-03-29T00:00:00.000Z', '2026-03-28 20:00 -04:00', false],
    ['tidy', '2026-03-29T01:00:00.000Z', '2026-03-29 03:00 +02:00', true],
    ['tidy', '2026-03-30T00:30:00.000Z', '2026-03-30 02:30 +02:00', false],
  ])
  expect(rows[0]?.schedule).toBe(berlin)
})

test('the first row of a month of minutes comes without finding the others', () => {
  const [first] = upcoming([{ cron: '* * * * *', timezone: 'UTC' }], new Date('2026-03-27T12:00Z'), 100_000)
  expect(first?.at.toISOString()).toBe('2026-03-27T12:01:00.000Z')
})

test('ends with the days asked for, and where a schedule is never due again', () => {
  expect([...upcoming([berlin], new Date('2026-03-27T12:00Z'), 0.1)]).toEqual([])
  expect([...upcoming([], new Date('2026-03-27T12:00Z'), 30)]).toEqual([])
  expect([...upcoming([{ cron: '0 0 29 2 *', timezone: 'UTC' }], new Date('9999-01-01T00:00Z'), 30)]).toEqual([])
})

test.each([
  ['Asia/Kathmandu', '2026-01-01T00:00Z', '2026-01-01 05:45 +05:45'],
  ['America/St_Johns', '2026-01-01T00:00Z', '2025-12-31 20:30 -03:30'],
  ['Pacific/Kiritimati', '2026-01-01T12:00Z', '2026-01-02 02:00 +14:00'],
  ['UTC', '2026-01-01T00:00Z', '2026-01-01 00:00 +00:00'],
])('local time in %s', (zone, at, local) => {
  expect(localTime(zone, new Date(at))).toBe(local)
})
