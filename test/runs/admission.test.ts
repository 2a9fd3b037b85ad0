import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Holder } from '../../src/ledger/owed.ts'
import { admit, obstacleOf, type Candidate, type Limits } from '../../src/runs/admission.ts'

const noLimits = { repository: null, sender: null, slots: 9 }
const run = (id: string, routine: string, more: Partial<Candidate> = {}): Candidate => ({
  id,
  routine,
  concurrencyKey: '',
  parallel: 1,
  routineLimit: null,
  repository: null,
  sender: null,
  state: 'queued',
  leaseOwner: null,
  ...more,
})
const at = (id: string, routine: string, more: Partial<Holder> = {}): Holder => ({
  id,
  routine,
  concurrencyKey: '',
  repository: null,
  sender: null,
  atWork: true,
  ...more,
})

test.each<[string, Candidate[], Holder[], Partial<Limits>, string[]]>([
  ['one at a time a routine', [run('1', 'a'), run('2', 'a'), run('3', 'b')], [], {}, ['1', '3']],
  ['a busy routine waits', [run('2', 'a'), run('3', 'b')], [at('1', 'a')], {}, ['3']],
  ['the slots count what is at work', [run('2', 'b'), run('3', 'c')], [at('1', 'a')], { slots: 2 }, ['2']],
  ['no worker, no run', [run('1', 'a')], [], { slots: 0 }, []],
  [
    'three of a routine at a time',
    [run('2', 'a', { parallel: 3 }), run('3', 'a', { parallel: 3 }), run('4', 'a', { parallel: 3 })],
    [at('1', 'a')],
    {},
    ['2', '3'],
  ],
  ['keys do not wait for each other', [run('2', 'a', { concurrencyKey: '7' })], [at('1', 'a')], {}, ['2']],
  [
    'unless the routine says how many in all',
    [run('2', 'a', { concurrencyKey: '7', routineLimit: 1 })],
    [at('1', 'a', { concurrencyKey: '8' })],
    {},
    [],
  ],
  [
    'one repository, written differently',
    [run('2', 'b', { repository: 'acme/shop' }), run('3', 'c', { repository: 'acme/other' })],
    [at('1', 'a', { repository: 'Acme/Shop' })],
    { repository: 1 },
    ['3'],
  ],
  [
    'paths are told apart by case',
    [run('2', 'b', { repository: '/srv/shop' })],
    [at('1', 'a', { repository: '/srv/Shop' })],
    { repository: 1 },
    ['2'],
  ],
  ['no repository is none', [run('2', 'b')], [at('1', 'a')], { repository: 1 }, ['2']],
  [
    'one sender',
    [run('2', 'b', { sender: 'ada' }), run('3', 'c', { sender: 'bob' })],
    [at('1', 'a', { sender: 'ada' })],
    { sender: 1 },
    ['3'],
  ],
  ['an approved publication does not wait', [run('2', 'a', { state: 'publishing' })], [at('1', 'a')], {}, ['2']],
  [
    'a lost run has its place, and the next one waits for it',
    [run('1', 'a', { state: 'working', leaseOwner: 'w' }), run('2', 'a')],
    [at('1', 'a', { atWork: false })],
    {},
    ['1'],
  ],
  [
    'a lost run that may not be taken over yet keeps its place',
    [run('2', 'a')],
    [at('1', 'a', { atWork: false })],
    {},
    [],
  ],
  [
    'what was given back before its end needs a place again',
    [run('2', 'a', { state: 'working' })],
    [at('1', 'a')],
    {},
    [],
  ],
])('%s', (_, owed, holders, limits, admitted) => {
  expect(admit(owed, holders, { ...noLimits, ...limits })).toEqual(admitted)
})

describe('whatever is owed', () => {
  const few = <T extends string>(...values: T[]) => fc.constantFrom<T | null>(null, ...values)
  const common = {
    id: fc.uuid(),
    routine: fc.constantFrom('a', 'b', 'c'),
    concurrencyKey: fc.constantFrom('', '7'),
    repository: few('acme/shop', 'ACME/shop', '/srv/shop'),
    sender: few('ada', 'bob'),
  }
  const owedRuns = fc.array(
    fc.record({
      ...common,
      parallel: fc.integer({ min: 1, max: 3 }),
      routineLimit: fc.option(fc.integer({ min: 1, max: 4 })),
      state: fc.constant('queued' as const),
      leaseOwner: fc.constant(null),
    }),
    { maxLength: 30 },
  )
  const holding = fc.array(fc.record({ ...common, atWork: fc.boolean() }), { maxLength: 8 })
  const limit = fc.option(fc.integer({ min: 1, max: 4 }))
  const limits = fc.record({ slots: fc.integer({ min: 0, max: 8 }), repository: limit, sender: limit })

  test('no limit is passed by what is admitted, and no slot stays free that one of the others could have', () => {
    fc.assert(
      fc.property(owedRuns, holding, limits, (owed, holders, most) => {
        const ids = admit(owed, holders, most)
        const chosen = owed.filter((one) => ids.includes(one.id))
        const free = most.slots - holders.filter((one) => one.atWork).length - chosen.length
        expect(chosen.length === 0 || free >= 0).toBe(true)
        // One after the other each had room when it came.
        const held = [...holders]
        for (const one of chosen) {
          expect(obstacleOf(one, held, most)).toBeUndefined()
          held.push({ ...one, atWork: true })
        }
        const idle = owed.filter((one) => !ids.includes(one.id) && !obstacleOf(one, held, most))
        expect(free > 0 ? idle : []).toEqual([])
      }),
    )
  })
})
