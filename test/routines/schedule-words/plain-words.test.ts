import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readOneOff } from '../../../src/routines/schedule-words/one-off.ts'
import { plainForms, readPlainWords } from '../../../src/routines/schedule-words/plain-words.ts'
import { parseCron } from '../../../src/triggers/schedule/cron.ts'

describe('every:', () => {
  test.each([
    ['minute', '* * * * *'],
    ['1 minute', '* * * * *'],
    ['15 minutes', '*/15 * * * *'],
    ['hour', '0 * * * *'],
    ['hour at :15', '15 * * * *'],
    ['6 hours', '0 */6 * * *'],
    ['2 hours at :30', '30 */2 * * *'],
    ['day at 7:30', '30 7 * * *'],
    ['day at 07:30', '30 7 * * *'],
    ['every day at noon', '0 12 * * *'],
    ['  Every   Day at MIDNIGHT ', '0 0 * * *'],
    ['day at 09:00 and 17:00', '0 9,17 * * *'],
    ['day at 17:00, 9:00, and 12:00', '0 9,12,17 * * *'],
    ['weekday at 02:00', '0 2 * * 1-5'],
    ['weekend at noon', '0 12 * * 0,6'],
    ['monday at 09:00', '0 9 * * 1'],
    ['monday and thursday at 09:00', '0 9 * * 1,4'],
    ['Sun, wed, and mon at 23:59', '59 23 * * 0,1,3'],
    ['week on friday at 16:00', '0 16 * * 5'],
    ['month on the 1st at 06:00', '0 6 1 * *'],
    ['month on the 15th and 1st at midnight', '0 0 1,15 * *'],
    ['month on the 31st at 06:00', '0 6 31 * *'],
    ['year on 1 january at 00:00', '0 0 1 1 *'],
    ['year on december 24 at 18:00', '0 18 24 12 *'],
    ['year on 29 feb at noon', '0 12 29 2 *'],
  ])('%s is %s', (words, cron) => {
    expect(readPlainWords(words)).toEqual({ crons: [cron] })
  })

  test('times of different minutes are several expressions', () => {
    expect(readPlainWords('weekday at 9:00, 17:30 and 13:00')).toEqual({ crons: ['0 9,13 * * 1-5', '30 17 * * 1-5'] })
  })

  test.each([
    ['weekdays at 2', '"weekdays at 2" is not understood: did you mean "weekday at 02:00"?'],
    ['wekday at 02:00', 'did you mean "weekday at 02:00"?'],
    ['tuesdays at 9', 'did you mean "tuesday at 09:00"?'],
    ['monday at 9am', 'did you mean "monday at 09:00"?'],
    ['monday at 9:30 pm', 'did you mean "monday at 21:30"?'],
    ['day at 12 am', 'did you mean "day at 00:00"?'],
    ['day at 12pm', 'did you mean "day at 12:00"?'],
    ['day at 24:00', 'did you mean "day at 00:00"?'],
    ["day at 2 o'clock", 'did you mean "day at 02:00"?'],
    ['daily at 7.30', 'did you mean "day at 07:30"?'],
    ['day', 'says no time: did you mean "day at 09:00"?'],
    ['monday', 'says no time: did you mean "monday at 09:00"?'],
    ['weekly', 'did you mean "week on monday at 09:00"?'],
    ['45 minutes', 'do not fit evenly into an hour: did you mean "30 minutes"?'],
    ['90 minutes', 'do not fit evenly into an hour: did you mean "hour"?'],
    ['5 hours', 'do not fit evenly into a day: did you mean "4 hours"?'],
    ['quarter hour', 'is not understood'],
    ['30 seconds', 'is too often, a minute is the shortest'],
    ['2 weeks', 'cannot be counted over the ends of months and years'],
    ['other day at 09:00', 'cannot be counted'],
    ['month on the last day at 09:00', 'asks for a last day, which is not supported'],
    ['month on the 32nd at 09:00', 'write it like one of: minute · 15 minutes'],
    ['day at 25:00', 'write it like one of'],
    ['day at 9:60', 'write it like one of'],
    ['0 minutes', 'write it like one of'],
    ['0 2 * * 1-5', 'write it like one of'],
    ['', 'write it like one of'],
    ['x'.repeat(100_000), 'write it like one of'],
  ])('%.40j is refused: %s', (words, sentence) => {
    expect(readPlainWords(words)).toEqual({ error: expect.stringContaining(sentence) as string })
  })

  test('every form that it names is one', () => {
    for (const form of plainForms) expect(readPlainWords(form)).toHaveProperty('crons')
  })

  const vocabulary = plainForms
    .flatMap((form) => form.split(' '))
    .concat('daily wensday 9am 2 7.5 and , the every last 3 99 noon 31st feb'.split(' '))
  const anything = fc.oneof(
    fc.array(fc.constantFrom(...vocabulary), { maxLength: 7 }).map((words) => words.join(' ')),
    fc.string(),
  )
  const meantBy = (text: string) => {
    const read = readPlainWords(text)
    return 'error' in read ? /did you mean "(.*)"\?$/.exec(read.error)?.[1] : undefined
  }

  test('whatever is written, the cron it gives is taken, unless it names a day that no month has', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const read = readPlainWords(text)
        const crons = 'crons' in read ? read.crons : []
        expect('error' in read || crons.length > 0).toBe(true)
        expect(crons.flatMap(errorsOf).filter((error) => !/^no month it names has a day \d\d/.test(error))).toEqual([])
      }),
      { numRuns: 2000 },
    )
  })

  test('whatever is written, what it offers instead is understood', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(readPlainWords(meantBy(text) ?? 'day at noon')).toHaveProperty('crons')
      }),
      { numRuns: 2000 },
    )
  })
})

function errorsOf(cron: string): string[] {
  const parsed = parseCron(cron)
  return 'error' in parsed ? [parsed.error] : []
}

describe('at:', () => {
  test.each([
    ['2026-12-01T09:00', '@at 2026-12-01T09:00'],
    ['2026-12-01 9:00', '@at 2026-12-01T09:00'],
    ['2026-12-01T09:00:00', '@at 2026-12-01T09:00'],
    ['2026-12-01T09:00Z', '@at 2026-12-01T09:00Z'],
    ['2026-12-01T09:00+02:00', '@at 2026-12-01T07:00Z'],
    ['2026-12-31T23:00-0330', '@at 2027-01-01T02:30Z'],
    ['2028-02-29T00:00', '@at 2028-02-29T00:00'],
  ])('%s is kept as %s', (written, cron) => {
    expect(readOneOff(written)).toEqual({ cron })
  })

  test.each([
    ['tomorrow', '"tomorrow" is not a date and time: write 2026-12-01T09:00'],
    ['2026-12-01', 'is not a date and time'],
    ['2026-12-01T09:00:30', 'has seconds, which are not supported: write 2026-12-01T09:00'],
    ['2026-02-30T09:00', 'is not in the calendar'],
    ['2026-13-01T09:00', 'is not in the calendar'],
    ['2026-12-01T24:00', 'is not in the calendar'],
    ['1999-12-31T09:00', 'write a year from 2000 on'],
    ['2026-12-01T09:00+25:00', 'has an offset that no clock has'],
    ['', 'is not a date and time'],
  ])('%j is refused: %s', (written, sentence) => {
    expect(readOneOff(written)).toEqual({ error: expect.stringContaining(sentence) as string })
  })
})
