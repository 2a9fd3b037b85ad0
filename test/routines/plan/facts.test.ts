import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { duration, millisecondsOf, writtenDuration } from '../../../src/routines/keys/duration.ts'
import { factsOf, type Facts } from '../../../src/routines/plan/facts.ts'
import { readGood, readOptions, routineText } from '../reading/reading.ts'

const factsIn = (frontMatter: string) => factsOf(readGood(routineText(frontMatter)))
const cases: [string, Partial<Facts>][] = [
  ['', { due: 'when a person fires it', who: 'people of this service', missed: null, pace: null, debounce: null }],
  ['', { network: 'none; not limited where only process starts', pauses: 'after 5 failures one after the other' }],
  [
    'output: { pull_request: { paths: [src/**, "!src/gen/**"], max_files: 5, max_size: 64MB } }',
    {
      writes:
        'branches overnight/x/… and draft pull requests in ./shop; without asking a person only src/** !src/gen/**, up to 5 files, up to 64MB',
    },
  ],
  [
    'setup: [{ run: npm ci, when: package-lock.json, keep: node_modules }, { run: [make, deps] }]',
    { setup: 'npm ci (node_modules kept while package-lock.json is the same); make deps' },
  ],
  ['', { setup: null }],
  ['base: next', { where: './shop at next' }],
  [
    'on: { github: { event: pull_request } }\ncheckout: pull_request',
    { where: './shop, from the pull request that fired it' },
  ],
  ['sandbox: process', { sandbox: 'process, which is no boundary', network: 'not limited' }],
  ['', { sandbox: 'the strongest that starts; where none does process, which is no boundary' }],
  ['sandbox: bubblewrap', { sandbox: 'bubblewrap', network: 'none' }],
  ['sandbox: bubblewrap\nnetwork: open\nallow_trifecta: true', { network: 'every public host' }],
  ['sandbox: bubblewrap\nnetwork: [registries, API.example.com]', { network: 'registries, api.example.com' }],
  ['sandbox: process\nnetwork: [registries]', { network: 'not limited' }],
  ['network: [npm]', { network: 'npm; not limited where only process starts' }],
  ['on: { schedule: { every: weekday at 9:00 and 17:30 } }', { due: 'every weekday at 9:00 and 17:30 Europe/Berlin' }],
  [
    'on: { schedule: [{ every: every day at noon, timezone: UTC }, { at: 2026-12-01T09:00 }] }',
    { due: 'every day at noon UTC; at 2026-12-01T09:00 Europe/Berlin' },
  ],
  [
    'on: { github: { label: fix, allow: { users: [ada], bots: ["renovate[bot]"], forks: true } } }',
    {
      due: 'the label fix',
      who: 'people of this service; whoever may write to the repository on GitHub; ada; renovate[bot]; also by pull requests from forks',
    },
  ],
  [
    'on: { webhook: { source: sentry }, api: true }',
    {
      due: 'sentry events; calls of programs',
      who: 'people of this service; whoever knows the secret of sentry, or fills what it polls; tokens of programs',
    },
  ],
  [
    'on: { after: { routine: flaky } }',
    {
      due: 'a run of flaky ends published or reported',
      who: 'people of this service; whoever may start flaky',
    },
  ],
  ['concurrency: "{{ event.number }}"', { overlap: 'queue_one, for each {{ event.number }}' }],
  ['overlap: { parallel: 3 }', { overlap: 'queue_all, 3 at once' }],
  ['debounce: { wait: 90s }', { debounce: '90s after the last event, 450s after the first at the latest' }],
  [
    'pace: { jitter: 10m, cooldown: 1h, max: { runs: 10, per: 24h }, not_between: [{ from: "22:00", to: "06:30", days: sat-sun }] }',
    { pace: 'up to 10m later, 1h apart, 10 in 1d, not sun,sat 22:00–06:30 Europe/Berlin' },
  ],
  ['pace: { not_between: [{ from: "09:00", to: "17:00" }] }', { pace: 'not 09:00–17:00 Europe/Berlin' }],
  ['pause_after: 0', { pauses: 'never by itself' }],
  ['on: { schedule: { cron: "0 2 * * *" } }', { missed: 'the last is made up for, at most 6h old' }],
  [
    'on: { schedule: { cron: "0 2 * * *" } }\ncatch_up: { mode: all, max: 7, max_age: 2d }',
    { missed: 'up to 7 are made up for, at most 2d old' },
  ],
  ['on: { schedule: { cron: "0 2 * * *" } }\ncatch_up: { mode: none }', { missed: 'never made up for' }],
]

describe('the facts of a routine', () => {
  test.each(cases)('of %j', (frontMatter, facts) => {
    expect(factsIn(frontMatter)).toMatchObject(facts)
  })

  test('say that an agent without a sandbox of its own reaches its model', () => {
    const text = '---\nrepository: ./shop\n---\nTidy up.'
    expect(factsOf(readGood(text, readOptions))).toMatchObject({
      network: 'none but the way to its model',
      sandbox: 'the strongest that starts',
    })
    const open = text.replace('\n---\nT', '\nnetwork: [npm]\n---\nT')
    expect(factsOf(readGood(open, readOptions)).network).toBe('npm, and the way to its model')
    expect(factsOf(readGood(text.replace('\n---\nT', '\nsandbox: process\n---\nT'))).network).toBe('not limited')
  })
})

test('a length of time is written so that it is read as the same again', () => {
  const aDuration = fc.tuple(fc.integer({ min: 1, max: 99_999 }), fc.constantFrom('s', 'm', 'h', 'd'))
  fc.assert(
    fc.property(aDuration, ([count, unit]) => {
      const milliseconds = millisecondsOf(`${count}${unit}`)
      const written = writtenDuration(milliseconds)
      expect(millisecondsOf(written)).toBe(milliseconds)
      expect(written.length).toBeLessThanOrEqual(`${count}${unit}`.length)
    }),
  )
  expect(duration.parse(writtenDuration(5_400_000))).toBe('90m')
})
