import { describe, expect, test } from 'vitest'
import { cronOf } from '../../../src/triggers/schedule/cron.ts'
import { isTransitionDay, nextFire } from '../../../src/triggers/schedule/next-fire.ts'
import { firesIn } from './fires-in.ts'

// what | expression | zone | from | to (exclusive) | instants, of 2026 unless said. Worked out by hand from the published rules.
const golden = `
  # New York: 8 March 2026 02:00 EST → 03:00 EDT (07:00Z); 1 November 2026 02:00 EDT → 01:00 EST (06:00Z).
  a fixed time in the gap is due at its end | 30 2 * * * | America/New_York | 2026-03-07 | 2026-03-10 | 03-07T07:30 03-08T07:00 03-09T06:30
  two fixed times in one gap are one | 0,30 2 * * * | America/New_York | 2026-03-08 | 2026-03-09 | 03-08T07:00
  a fixed time in the gap and one at its end are one | 0 2,3 * * * | America/New_York | 2026-03-08 | 2026-03-09 | 03-08T07:00
  a range over the gap | 0 1-4 * * * | America/New_York | 2026-03-08 | 2026-03-09 | 03-08T06:00 03-08T07:00 03-08T08:00
  a star in the hour has nothing extra in the gap | 30 */2 * * * | America/New_York | 2026-03-08T05:00Z | 2026-03-08T11:00Z | 03-08T05:30 03-08T08:30 03-08T10:30
  a star in the minute has nothing extra in the gap | */30 2 * * * | America/New_York | 2026-03-07 | 2026-03-10 | 03-07T07:00 03-07T07:30 03-09T06:00 03-09T06:30
  every hour follows real time in spring | 0 * * * * | America/New_York | 2026-03-08T05:00Z | 2026-03-08T09:00Z | 03-08T05:00 03-08T06:00 03-08T07:00 03-08T08:00
  a fixed time shown twice is due on the first pass | 30 1 * * * | America/New_York | 2026-10-31 | 2026-11-03 | 10-31T05:30 11-01T05:30 11-02T06:30
  a list shown twice is due on the first pass | 0,30 1 * * * | America/New_York | 2026-11-01 | 2026-11-02 | 11-01T05:00 11-01T05:30
  a range of hours passes the repeated hour once | 0 0-3 * * * | America/New_York | 2026-11-01 | 2026-11-02 | 11-01T04:00 11-01T05:00 11-01T07:00 11-01T08:00
  the end of the repeated hour is not repeated | 0 2 * * * | America/New_York | 2026-11-01 | 2026-11-02 | 11-01T07:00
  every hour follows real time in autumn | 0 * * * * | America/New_York | 2026-11-01T04:00Z | 2026-11-01T08:00Z | 11-01T04:00 11-01T05:00 11-01T06:00 11-01T07:00
  a star in the minute runs in both passes | */30 1 * * * | America/New_York | 2026-11-01 | 2026-11-02 | 11-01T05:00 11-01T05:30 11-01T06:00 11-01T06:30
  a yearly fixed time in a gap | 30 2 8 3 * | America/New_York | 2025-06-01 | 2027-06-01 | 2026-03-08T07:00 2027-03-08T07:30
  a yearly fixed time shown twice | 59 1 1 11 * | America/New_York | 2026-01-01 | 2027-01-01 | 11-01T05:59
  a yearly star, both passes | */59 1 1 11 * | America/New_York | 2026-01-01 | 2027-01-01 | 11-01T05:00 11-01T05:59 11-01T06:00 11-01T06:59
  # Berlin: 29 March 2026 02:00 → 03:00 (01:00Z); 25 October 2026 03:00 → 02:00 (01:00Z).
  Berlin, the night shift in spring | 0 2 * * 1-7 | Europe/Berlin | 2026-03-28 | 2026-03-31 | 03-28T01:00 03-29T01:00 03-30T00:00
  Berlin, the night shift in autumn | 0 2 * * 1-7 | Europe/Berlin | 2026-10-24 | 2026-10-27 | 10-24T00:00 10-25T00:00 10-26T01:00
  Berlin, at work | 0 9 * * MON-FRI | Europe/Berlin | 2026-03-27 | 2026-03-31 | 03-27T08:00 03-30T07:00
  # London: 29 March 2026 01:00 → 02:00 (01:00Z); 25 October 2026 02:00 → 01:00 (01:00Z).
  London, gap | 15,45 1 * * * | Europe/London | 2026-03-29 | 2026-03-31 | 03-29T01:00 03-30T00:15 03-30T00:45
  London, overlap | 15,45 1 * * * | Europe/London | 2026-10-25 | 2026-10-26 | 10-25T00:15 10-25T00:45
  # London stayed on summer time through the winter of 1968: the clocks of 27 October 1968 were not set.
  London, a winter without a change | 30 1 * * * | Europe/London | 1968-10-26 | 1968-10-29 | 1968-10-26T00:30 1968-10-27T00:30 1968-10-28T00:30
  # Lord Howe moves by half an hour: 4 October 2026 02:00 → 02:30 (15:30Z the day before); 5 April 2026 02:00 → 01:30 (15:00Z).
  Lord Howe, half an hour of gap | 15 2 * * * | Australia/Lord_Howe | 2026-10-02T12:00Z | 2026-10-05T12:00Z | 10-02T15:45 10-03T15:30 10-04T15:15
  Lord Howe, half an hour twice | 45 1 * * * | Australia/Lord_Howe | 2026-04-03T12:00Z | 2026-04-06T12:00Z | 04-03T14:45 04-04T14:45 04-05T15:15
  Lord Howe, every quarter | */15 * * * * | Australia/Lord_Howe | 2026-04-04T14:30Z | 2026-04-04T15:46Z | 04-04T14:30 04-04T14:45 04-04T15:00 04-04T15:15 04-04T15:30 04-04T15:45
  # Beirut changes at midnight: 29 March 2026 00:00 → 01:00 (22:00Z); 25 October 2026 00:00 → 23:00 of the 24th (21:00Z).
  Beirut, midnight does not exist | 0 0 * * * | Asia/Beirut | 2026-03-27T12:00Z | 2026-03-30T12:00Z | 03-27T22:00 03-28T22:00 03-29T21:00
  Beirut, a missing midnight of Sunday | 0 0 * * SUN | Asia/Beirut | 2026-03-27 | 2026-04-01 | 03-28T22:00
  Beirut, the last hour of a day twice | 45 23 * * * | Asia/Beirut | 2026-10-23T12:00Z | 2026-10-26T12:00Z | 10-23T20:45 10-24T20:45 10-25T21:45
  Beirut, midnight after the last hour came twice | 0 0 * * * | Asia/Beirut | 2026-10-23T12:00Z | 2026-10-26T12:00Z | 10-23T21:00 10-24T22:00 10-25T22:00
  # São Paulo until 2019, also at midnight: 4 November 2018 00:00 → 01:00 (03:00Z); 17 February 2019 00:00 → 23:00 (02:00Z).
  São Paulo 2018, midnight does not exist | 30 0 * * * | America/Sao_Paulo | 2018-11-03 | 2018-11-06 | 2018-11-03T03:30 2018-11-04T03:00 2018-11-05T02:30
  São Paulo 2019, 23:30 twice | 30 23 * * * | America/Sao_Paulo | 2019-02-16 | 2019-02-18T12:00Z | 2019-02-16T01:30 2019-02-17T01:30 2019-02-18T02:30
  São Paulo since, no change | 30 0 * * * | America/Sao_Paulo | 2026-11-01 | 2026-11-03 | 11-01T03:30 11-02T03:30
  # Apia had no 30 December 2011: 29 December 24:00 −10:00 is 31 December 00:00 +14:00 (10:00Z on the 30th).
  Apia, a day that does not exist is one gap | 0 12 30 12 * | Pacific/Apia | 2011-12-01 | 2013-01-01 | 2011-12-30T10:00 2012-12-29T22:00
  Apia, every noon | 0 12 * * * | Pacific/Apia | 2011-12-29 | 2012-01-02 | 2011-12-29T22:00 2011-12-30T10:00 2011-12-30T22:00 2011-12-31T22:00 2012-01-01T22:00
  Apia, a star has nothing in the day that does not exist | 0 */12 30 12 * | Pacific/Apia | 2011-12-01 | 2012-12-31 | 2012-12-29T10:00 2012-12-29T22:00
  # Kwajalein had no 21 August 1993: 20 August 24:00 −12:00 is 22 August 00:00 +12:00 (12:00Z on the 21st).
  Kwajalein 1993, a day that does not exist | 0 8 * * * | Pacific/Kwajalein | 1993-08-19T20:00Z | 1993-08-22T12:00Z | 1993-08-19T20:00 1993-08-20T20:00 1993-08-21T12:00 1993-08-21T20:00
  # Chatham, three quarters past: 27 September 2026 02:45 → 03:45 (14:00Z the day before); 5 April 2026 03:45 → 02:45.
  Chatham, gap | 0 3 * * * | Pacific/Chatham | 2026-09-25 | 2026-09-28 | 09-25T14:15 09-26T14:00 09-27T13:15
  Chatham, overlap | 0 3 * * * | Pacific/Chatham | 2026-04-03 | 2026-04-06 | 04-03T13:15 04-04T13:15 04-05T14:15
  # Casablanca leaves +01:00 for Ramadan: 15 February 2026 03:00 → 02:00 (02:00Z); 22 March 2026 02:00 → 03:00 (02:00Z).
  Casablanca, Ramadan begins | 30 2 * * * | Africa/Casablanca | 2026-02-14 | 2026-02-17 | 02-14T01:30 02-15T01:30 02-16T02:30
  Casablanca, Ramadan ends | 30 2 * * * | Africa/Casablanca | 2026-03-21 | 2026-03-24 | 03-21T02:30 03-22T02:00 03-23T01:30
  # Kathmandu moved by a quarter: 1 January 1986 00:00 → 00:15 (18:30Z).
  Kathmandu 1986, a quarter of an hour | 5 0 * * * | Asia/Kathmandu | 1985-12-30T12:00Z | 1986-01-02T12:00Z | 1985-12-30T18:35 1985-12-31T18:30 1986-01-01T18:20
  # Pyongyang 2018: 4 May 23:30 → 5 May 00:00 (15:00Z).
  Pyongyang 2018, half an hour before midnight | 45 23 * * * | Asia/Pyongyang | 2018-05-03 | 2018-05-06 | 2018-05-03T15:15 2018-05-04T15:00 2018-05-05T14:45
  # Troll, Antarctica, moves by two hours: 29 March 2026 01:00 → 03:00; 25 October 2026 03:00 → 01:00 (both 01:00Z).
  Troll, two hours of gap | 30 1,2 * * * | Antarctica/Troll | 2026-03-29 | 2026-03-29T20:00Z | 03-29T01:00
  Troll, two hours twice | 30 1,2 * * * | Antarctica/Troll | 2026-10-24T12:00Z | 2026-10-25T12:00Z | 10-24T23:30 10-25T00:30
  a zone without changes | 0 0 1 * * | Asia/Tokyo | 2026-01-01 | 2026-03-02 | 01-31T15:00 02-28T15:00
  UTC, a leap day | 0 0 29 2 * | UTC | 2026-01-01 | 2036-01-01 | 2028-02-29T00:00 2032-02-29T00:00
`
  .split('\n')
  .filter((line) => line.includes('|'))
  .map((line) => {
    const [what = '', expression = '', zone = '', from = '', to = '', instants = ''] = line
      .split('|')
      .map((cell) => cell.trim())
    return { what, expression, zone, from: new Date(from), to: new Date(to), instants: instants.split(' ').map(full) }
  })

function full(instant: string): string {
  return `${/^\d{4}-/.test(instant) ? '' : '2026-'}${instant}:00.000Z`
}

describe('nextFire on the days clocks change', () => {
  test.each(golden)('$what: $expression in $zone', ({ expression, zone, from, to, instants }) => {
    expect(firesIn(cronOf(expression), zone, from, to)).toEqual(instants)
  })

  test('the table was read', () => expect(golden.length).toBeGreaterThan(40))
})

describe('nextFire', () => {
  const newYork = 'America/New_York'
  test('is strictly after the instant it is asked for, to the millisecond', () => {
    const cron = cronOf('30 2 * * *')
    const gapEnd = new Date('2026-03-08T07:00:00.000Z')
    expect(nextFire(cron, newYork, new Date(gapEnd.getTime() - 1))).toEqual(gapEnd)
    expect(nextFire(cron, newYork, gapEnd)).toEqual(new Date('2026-03-09T06:30:00.000Z'))
  })

  test('asked in the second pass of a repeated hour, a fixed time of that hour is over', () => {
    const secondPass = new Date('2026-11-01T06:10:00Z')
    expect(nextFire(cronOf('30 1 * * *'), newYork, secondPass)).toEqual(new Date('2026-11-02T06:30:00Z'))
    expect(nextFire(cronOf('30 1,2 * * *'), newYork, secondPass)).toEqual(new Date('2026-11-01T07:30:00Z'))
    expect(nextFire(cronOf('30 * * * *'), newYork, secondPass)).toEqual(new Date('2026-11-01T06:30:00Z'))
  })

  test('knows offsets with seconds: Liberia kept −00:44:30 until 1972', () => {
    expect(nextFire(cronOf('0 12 * * *'), 'Africa/Monrovia', new Date('1971-06-01T00:00:00Z'))).toEqual(
      new Date('1971-06-01T12:44:30.000Z'),
    )
  })

  test('gives up on a date that can never come in a matcher’s horizon', () => {
    expect(nextFire(cronOf('0 0 29 2 *'), 'UTC', new Date('9999-01-01T00:00:00Z'))).toBeUndefined()
  })

  test.each(['* * * * *', '0 2 * * 1-5', '0-59 1 * * *', '0 0 29 2 *', '30 2 8 3 *'])(
    'answers fast: %s',
    (expression) => {
      const cron = cronOf(expression)
      let at: Date | undefined = new Date('2026-10-31T12:00:00Z')
      const calls = 500
      const started = performance.now()
      for (let call = 0; call < calls; call++) at = at && nextFire(cron, newYork, at)
      // Measured 0.01 to 0.05 ms; the bound leaves room for a busy machine.
      expect((performance.now() - started) / calls).toBeLessThan(2)
    },
  )
})

describe('isTransitionDay', () => {
  test.each([
    ['America/New_York', '2026-03-08T05:00Z', true],
    ['America/New_York', '2026-03-09T03:59Z', true],
    ['America/New_York', '2026-03-08T04:59Z', false],
    ['America/New_York', '2026-03-09T04:00Z', false],
    ['America/New_York', '2026-11-01T04:00Z', true],
    ['America/New_York', '2026-11-02T04:59Z', true],
    ['America/New_York', '2026-11-02T05:00Z', false],
    // The short Sunday begins at 01:00; the long Saturday ends with a second 23:00.
    ['Asia/Beirut', '2026-03-28T12:00Z', false],
    ['Asia/Beirut', '2026-03-28T22:00Z', true],
    ['Asia/Beirut', '2026-10-24T12:00Z', true],
    ['Asia/Beirut', '2026-10-25T12:00Z', false],
    ['Pacific/Apia', '2011-12-30T12:00Z', true],
    ['Asia/Tokyo', '2026-03-29T12:00Z', false],
    ['UTC', '2026-03-29T12:00Z', false],
  ])('%s %s: %s', (zone, at, expected) => {
    expect(isTransitionDay(zone, new Date(at))).toBe(expected)
  })
})
