import { describe, expect, test } from 'vitest'
import { checkSchedule } from '../../../src/triggers/schedule/check-schedule.ts'
import { cronOf, parseCron } from '../../../src/triggers/schedule/cron.ts'

const refused: [expression: string, sentence: string][] = [
  ['', '0 fields: write five'],
  ['0 2 * *', '4 fields: write five (minute hour day-of-month month day-of-week), such as "0 2 * * 1-5"'],
  ['every day', '2 fields'],
  ['0 0 2 * * 1', '6 fields, but seconds and years are not supported'],
  ['0 0 2 * * 1', 'perhaps "0 2 * * 1"'],
  ['0 0 2 * * 1 2026', '7 fields'],
  ['0 0 2 * * 1 2026', 'perhaps "0 2 * * 1"'],
  ['60 * * * *', 'minute "60": "60" is not a value here: write 0-59'],
  ['0 24 * * *', 'hour "24": "24" is not a value here: write 0-23'],
  ['0 0 0 * *', 'write 1-31'],
  ['0 0 32 * *', 'write 1-31'],
  ['0 0 1 13 *', 'write 1-12, or JAN-DEC'],
  ['0 0 * * 8', 'write 0-7, or SUN-SAT'],
  ['-5 * * * *', '"-5" is not a value here'],
  ['0x5 * * * *', '"0x5" is not a value here'],
  ['1.5 * * * *', '"1.5" is not a value here'],
  ['1-5-7 * * * *', '"1-5-7" is not a value here'],
  ['** * * * *', '"**" is not a value here'],
  ['0 0 * MONDAY *', '"MONDAY" is not a value here'],
  ['0 0 * MON *', '"MON" is not a value here'],
  ['0 JAN * * *', '"JAN" is not a value here'],
  ['1,,2 * * * *', 'take out the extra comma'],
  ['1, 2 * * * *', '6 fields'],
  ['22-2 * * * *', 'write 22-59,0-2'],
  ['0 22-2 * * *', 'write 22-23,0-2'],
  ['0 0 * * 5-0', 'write 5-6,0'],
  ['0 0 * * SAT-MON', 'write 6,0-1'],
  ['5/15 * * * *', 'write 5-59/15'],
  ['/5 * * * *', 'a step needs a range or "*"'],
  ['*/0 * * * *', 'a step is a number from 1 to 60'],
  ['*/61 * * * *', 'a step is a number from 1 to 60'],
  ['10-20/12 * * * *', 'a step is a number from 1 to 11'],
  ['0 0 ? * *', '"?" is not supported: write "*"'],
  ['0 0 L * *', '"L" (the last day) is not supported'],
  ['0 0 L-3 * *', '"L" (the last day) is not supported'],
  ['0 0 * * 5L', '"L" (the last such weekday) is not supported'],
  ['0 0 * * FRIL', '"L" (the last such weekday) is not supported'],
  ['0 0 15W * *', '"W" (the nearest weekday) is not supported'],
  ['0 0 LW * *', '"W" (the nearest weekday) is not supported'],
  ['0 0 * * FRI#2', '"#" (the nth weekday of a month) is not supported'],
  ['H 2 * * *', '"H" (a hashed time) is not supported: write a number'],
  ['H/15 * * * *', '"H" (a hashed time) is not supported'],
  ['H(0-5) 2 * * *', '"H" (a hashed time) is not supported'],
  ['~ * * * *', '"~" (a random time) is not supported'],
  ['0~30 * * * *', '"~" (a random time) is not supported'],
  ['@reboot', '"@reboot" is not known: write one of @hourly'],
  ['@every 5m', 'is not known: write one of @hourly'],
  ['0 0 31 2 *', 'no month it names has a day 31, so it would never fire'],
  ['0 0 30,31 FEB *', 'no month it names has a day 30'],
  ['0 0 31 2,4,6,9,11 *', 'no month it names has a day 31'],
  ['0 0 30 2 */2', 'no month it names has a day 30'],
]

describe('parseCron', () => {
  test.each(refused)('refuses %j saying %j', (expression, sentence) => {
    expect(parseCron(expression)).toEqual({ error: expect.stringContaining(sentence) as string })
  })

  const from = Date.UTC(2026, 10, 20, 11, 30) // a Friday
  test.each([
    ['* * * * *', '2026-11-20T11:30'],
    ['\t0  2 * * * ', '2026-11-21T02:00'],
    ['*/7 * * * *', '2026-11-20T11:35'],
    ['0 0 * * 0', '2026-11-22T00:00'],
    ['0 0 * * 7', '2026-11-22T00:00'],
    ['0 0 * * sun', '2026-11-22T00:00'],
    ['0 0 * * SAT-SUN', '2026-11-21T00:00'],
    ['0 0 * * FRI-SUN', '2026-11-21T00:00'],
    ['0 0 * * 6-7', '2026-11-21T00:00'],
    ['0 9 * * mon-FRI', '2026-11-23T09:00'],
    ['0 0 1 jan,JUL *', '2027-01-01T00:00'],
    ['10-20/5,40 11 * * *', '2026-11-20T11:40'],
    ['0 0 * * */2', '2026-11-21T00:00'],
    ['0 0 29 2 *', '2028-02-29T00:00'],
    ['0 0 29 2 */7', '2032-02-29T00:00'],
    ['@hourly', '2026-11-20T12:00'],
    ['@daily', '2026-11-21T00:00'],
    ['@midnight', '2026-11-21T00:00'],
    ['@Weekly', '2026-11-22T00:00'],
    ['@monthly', '2026-12-01T00:00'],
    ['@yearly', '2027-01-01T00:00'],
    ['@annually', '2027-01-01T00:00'],
  ])('accepts %j: next at %s', (expression, wall) => {
    expect(new Date(cronOf(expression).match(from) ?? NaN).toISOString()).toBe(`${wall}:00.000Z`)
  })

  const januaryDays = (expression: string) => {
    const cron = cronOf(expression)
    const days: number[] = []
    for (let wall = cron.match(Date.UTC(2026, 0, 1)); wall !== undefined; wall = cron.match(wall + 1)) {
      if (wall >= Date.UTC(2026, 1, 1)) return days
      days.push(new Date(wall).getUTCDate())
    }
    return days
  }
  test.each([
    ['both set mean either', '0 12 13 * 5', [2, 9, 13, 16, 23, 30]],
    ['a weekday alone', '0 12 * * 5', [2, 9, 16, 23, 30]],
    ['a field with a star is not set, so both must match', '0 12 */2 * 5', [9, 23]],
    ['a list with a star in it, too', '0 12 1-7,*/31 * 5', [2]],
    ['a star with a step in the weekday, too', '0 12 13-16 * */5', [16]],
    ['a full range is set', '0 12 1-31 * 5', Array.from({ length: 31 }, (_, index) => index + 1)],
    ['day 31 of a short month still has its weekdays', '0 12 31 1 1', [5, 12, 19, 26, 31]],
  ])('days: %s', (_, expression, days) => {
    expect(januaryDays(expression)).toEqual(days)
  })

  test('a refused expression throws when it is taken as accepted', () => {
    expect(() => cronOf('0 0 31 2 *')).toThrow('cron "0 0 31 2 *": no month it names has a day 31')
  })

  test('a huge list is read in linear time', () => {
    const cron = cronOf(`${Array.from({ length: 50_000 }, () => '5').join(',')} * * * *`)
    expect(cron.match(0)).toBe(5 * 60_000)
  })
})

describe('checkSchedule', () => {
  test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'US/Eastern', 'Asia/Kolkata', 'Etc/GMT+2'])(
    'accepts the zone %s',
    (zone) => {
      expect(checkSchedule('0 2 * * 1-5', zone)).toBeUndefined()
    },
  )

  test.each([
    ['Europe/Berln', 'did you mean Europe/Berlin?'],
    ['berlin', 'did you mean Europe/Berlin?'],
    ['New York', 'did you mean America/New_York?'],
    ['America/NewYork', 'did you mean America/New_York?'],
    [' UTC', 'did you mean UTC?'],
    ['+02:00', 'is an offset: write the name of a place'],
    ['UTC+2', 'is an offset: write the name of a place'],
    ['-08:00', 'is an offset'],
    ['', 'write a name such as Europe/Berlin, or UTC'],
    ['Mars/Olympus', 'write a name such as Europe/Berlin, or UTC'],
    ['x'.repeat(100_000), 'write a name such as Europe/Berlin, or UTC'],
  ])('refuses the zone %.20j: %s', (zone, sentence) => {
    expect(checkSchedule('0 2 * * 1-5', zone)).toContain(sentence)
  })

  test('names the expression it refuses', () => {
    expect(checkSchedule('0 0 30 2 *', 'UTC')).toBe(
      'cron "0 0 30 2 *": no month it names has a day 30, so it would never fire',
    )
  })
})
