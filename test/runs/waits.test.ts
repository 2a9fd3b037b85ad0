import { expect, test } from 'vitest'
import type { Holder } from '../../src/ledger/owed.ts'
import type { Run } from '../../src/ledger/schema.ts'
import { waitsFor } from '../../src/runs/waits.ts'
import { before, morning, runOf } from '../support/sample-runs.ts'

const queued = (more: Partial<Run> = {}) =>
  runOf({ id: 'r', routine: 'a', state: 'queued', endedAt: null, notBefore: before(5), ...more })
const at = (id: string, routine: string, more: Partial<Holder> = {}): Holder => ({
  id,
  routine,
  concurrencyKey: '',
  repository: null,
  sender: null,
  atWork: true,
  ...more,
})

test.each<[string, Run, Holder[], number, string | null]>([
  ['nothing, when it is at work', queued({ state: 'working' }), [], 2, null],
  ['its turn', queued(), [], 2, 'its turn'],
  ['its time', queued({ notBefore: before(-5) }), [], 2, 'its time'],
  ['more events', queued({ notBefore: before(-5), waitsFor: 'more events' }), [], 2, 'more events'],
  ['the run before it', queued(), [at('x', 'a')], 2, 'run x to end'],
  [
    'the run with its key',
    queued({ concurrencyKey: '7' }),
    [at('x', 'a', { concurrencyKey: '7' })],
    2,
    'run x to end (concurrency 7)',
  ],
  ['one of three', queued({ parallel: 2 }), [at('x', 'a'), at('y', 'a')], 5, 'one of runs x, y to end'],
  [
    'one on its repository',
    queued({ repository: 'acme/shop' }),
    [at('x', 'b', { repository: 'acme/shop' })],
    5,
    'run x to end (on acme/shop)',
  ],
  ['one of its sender', queued({ sender: 'ada' }), [at('x', 'b', { sender: 'ada' })], 5, 'run x to end (of ada)'],
  ['a slot', queued(), [at('x', 'b')], 1, 'a free worker: all 1 are at work'],
  ['a worker', queued(), [], 0, 'a worker: none is running'],
  ['the worker it was handed to', queued(), [at('r', 'a')], 2, 'a worker to take it'],
])('it waits for %s', (_, run, holders, slots, expected) => {
  const limits = { slots, repository: 1, sender: 1 }
  expect(waitsFor(run, { holders, limits, now: morning, maySee: () => true })).toBe(expected)
})

test.each([
  ['its own', [at('x', 'a'), at('y', 'a')], 'one of runs x, y to end (on acme/shop)'],
  ['another’s', [at('x', 'b')], 'a run of another routine to end (on acme/shop)'],
  ['others’', [at('x', 'b'), at('y', 'c')], 'one of 2 runs of other routines to end (on acme/shop)'],
  ['both', [at('x', 'b'), at('y', 'a')], 'one of run y and 1 of other routines to end (on acme/shop)'],
])('who may see one routine hears of no other: %s', (_, others, expected) => {
  const run = queued({ repository: 'acme/shop', parallel: 9 })
  const holders = others.map((other) => ({ ...other, repository: 'acme/shop' }))
  const limits = { slots: 5, repository: holders.length, sender: null }
  const maySee = (routine: string) => routine === 'a'
  expect(waitsFor(run, { holders, limits, now: morning, maySee })).toBe(expected)
})
