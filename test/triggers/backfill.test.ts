import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { checkWindow, mostSlots, slotsWithin } from '../../src/triggers/backfill.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'

const routine = (...crons: string[]) =>
  parseOrRefuse(
    '/routines/a.md',
    `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\non: ${JSON.stringify(
      crons.length === 0 ? 'manual' : { schedule: crons.map((cron) => ({ cron, timezone: 'UTC' })) },
    )}\n---\n`,
    { defaultEngine: 'command', checkSchedule },
  )
const at = (time: string) => new Date(`2026-03-02T${time}Z`)
const within = (from: string, to: string, ...crons: string[]) => {
  const { slots, next } = slotsWithin(routine(...crons), { from: at(from), to: at(to) })
  return [...slots.map((slot) => slot.at.toISOString().slice(11, 16)), ...(next ? ['…'] : [])]
}

describe('the slots of a window', () => {
  test.each([
    ['its beginning counts, its end does not', ['02:00:00', '04:00:00', '0 * * * *'], ['02:00', '03:00']],
    ['none', ['02:00:01', '02:59:59', '0 * * * *'], []],
    ['of two schedules that meet: one', ['01:30:00', '03:30:00', '0 * * * *', '0 2 * * *'], ['02:00', '03:00']],
  ] as const)('%s', (_, [from, to, ...crons], wanted) => {
    expect(within(from, to, ...crons)).toEqual(wanted)
  })

  test('a large one is taken up where it ended, and leaves none out', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom(['* * * * *'], ['* * * * *', '*/2 * * * *']),
        (size, crons) => {
          const to = new Date(at('00:00:00').getTime() + size * 60_000)
          const found: number[] = []
          for (let from: Date | undefined = at('00:00:00'); from;) {
            const { slots, next } = slotsWithin(routine(...crons), { from, to })
            expect(slots.length).toBeLessThanOrEqual(mostSlots)
            found.push(...slots.map((slot) => slot.at.getTime()))
            from = next
          }
          expect(found).toEqual(Array.from({ length: size }, (_, minute) => at('00:00:00').getTime() + minute * 60_000))
        },
      ),
      { numRuns: 20 },
    )
  })
})

test.each([
  ['no schedule', [], '01:00:00', '02:00:00', /has no schedule/],
  ['a window turned round', ['0 * * * *'], '02:00:00', '01:00:00', /ends before it begins/],
  ['an empty window', ['0 * * * *'], '02:00:00', '02:00:00', /ends before it begins/],
  ['the future', ['0 * * * *'], '11:00:00', '12:00:01', /in the future/],
] as const)('%s is refused', (_, crons, from, to, says) => {
  expect(() => checkWindow(routine(...crons), { from: at(from), to: at(to) }, at('12:00:00'))).toThrow(says)
})
