import { expect, test } from 'vitest'
import { differences, type Journals, type Recorded } from './compare.ts'

const journals: Journals = {
  events: new Map([
    ['heard', 3],
    ['lost on its way', 0],
  ]),
  calls: new Map([['key', ['called', 'called']]]),
  agents: ['a', 'called', 'rung', 'rung'],
}
const recorded: Recorded = {
  deliveries: [{ key: 'heard', outcome: 'fired', runs: ['a'] }],
  calls: [{ key: 'key', run: 'called' }],
  slots: [
    { at: '2026-11-21T10:01:00.000Z', outcome: 'missed', run: null },
    { at: '2026-11-21T10:02:00.000Z', outcome: 'fired', run: 'rung' },
  ],
  runs: ['a', 'called', 'rung'].map((id) => ({ id, state: 'unchanged' })),
  since: '2026-11-21T10:00:30.000Z',
  until: '2026-11-21T10:02:59.000Z',
}

test('what is told twice and done once is no difference', () => {
  expect(differences(journals, recorded)).toEqual([])
})

const [delivery, call, slot] = [recorded.deliveries[0]!, recorded.calls[0]!, recorded.slots[1]!]
test.each<[string, Partial<Recorded>]>([
  ['event heard: 0 deliveries', { deliveries: [] }],
  ['event heard: 2 deliveries', { deliveries: [delivery, delivery] }],
  ['event heard is owed, with 0 runs', { deliveries: [{ ...delivery, outcome: null, runs: [] }] }],
  ['event heard is fired, with 2 runs', { deliveries: [{ ...delivery, runs: ['a', 'b'] }] }],
  ['event odd is on record, and nobody sent it', { deliveries: [delivery, { ...delivery, key: 'odd' }] }],
  ['call key: 0 firings, and 1 runs were told of', { calls: [] }],
  ['call key: 1 firings, and 1 runs were told of', { calls: [{ ...call, run: 'other' }] }],
  ['slot 2026-11-21T10:03:00.000Z: 0 rows', { until: '2026-11-21T10:03:00.000Z' }],
  ['slot 2026-11-21T10:02:00.000Z: 2 rows', { slots: [...recorded.slots, slot] }],
  [
    'slot 2026-11-21T10:02:30.000Z was never due',
    { slots: [...recorded.slots, { ...slot, at: '2026-11-21T10:02:30.000Z' }] },
  ],
  ['slot 2026-11-21T10:02:00.000Z is owed', { slots: [recorded.slots[0]!, { ...slot, outcome: null }] }],
  ['slot 2026-11-21T10:02:00.000Z fired, and has no run', { slots: [recorded.slots[0]!, { ...slot, run: null }] }],
  ['1 occasions have the run of another', { slots: [recorded.slots[0]!, { ...slot, run: 'a' }] }],
  ['run a is failed', { runs: [{ id: 'a', state: 'failed' }, ...recorded.runs.slice(1)] }],
  ['run b: its agent was started 0 times', { runs: [...recorded.runs, { id: 'b', state: 'unchanged' }] }],
  ['run b has no cause', { runs: [...recorded.runs, { id: 'b', state: 'unchanged' }] }],
  ['an agent worked on a, which is no run', { runs: recorded.runs.slice(1) }],
])('%s', (sentence, more) => {
  expect(differences(journals, { ...recorded, ...more })).toContain(sentence)
})

test('an agent that is started over and over', () => {
  expect(differences({ ...journals, agents: [...journals.agents, 'a', 'a', 'a'] }, recorded)).toEqual([
    'run a: its agent was started 4 times',
  ])
})
