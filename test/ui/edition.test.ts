import { expect, test } from 'vitest'
import { homePage } from '../../src/ui/home.ts'
import { segmentsOf } from '../../src/ui/timeline.ts'
import { home, material } from '../support/sample-edition.ts'
import { events } from '../support/sample-run-page.ts'
import { before, clock, morning, needing, runOf } from '../support/sample-runs.ts'

test('every run stands in exactly one place', () => {
  const view = home()
  const placed = [
    ...view.needsYou.map(({ run }) => run.id),
    ...view.ready.flatMap(({ run }) => run?.id ?? []),
    ...view.failed.map(({ run }) => run.id),
    ...view.running.map(({ run }) => run.id),
    ...view.happened.flatMap((item) => ('run' in item ? item.run.id : [])),
  ]
  expect(placed.toSorted()).toEqual(material.runs.map(({ id }) => id).toSorted())
})

test('the counts of the dateline; money only where it is known', () => {
  expect(home().counts).toEqual({ ran: 8, ready: 3, needsYou: 1, failed: 2, costUsd: 0.42 + 0.06 + 0.31 })
  const unpriced = material.runs.map((run) => ({ ...run, costUsd: null }))
  expect(home({ runs: unpriced }).counts.costUsd).toBeNull()
})

test('a failure that was retried is no longer one to look at, but stays told', () => {
  const failed = runOf({ id: 'r_1', state: 'failed', reason: 'agent_exit', endedAt: before(100) })
  const again = runOf({ id: 'r_2', state: 'working', retryOf: 'r_1', endedAt: null })
  const view = home({ runs: [failed, again], pulls: [] })
  expect(view.failed).toEqual([])
  expect(view.happened).toContainEqual({ run: failed, pull: null })
})

test('the oldest decision leads; endings of the day before are yesterday’s news', () => {
  const old = { ...needing, id: 'r_old', startedAt: before(4000) }
  const gone = runOf({ id: 'r_gone', state: 'failed', endedAt: before(24 * 60 + 1) })
  const view = home({ runs: [needing, old, gone] })
  expect(view.needsYou.map(({ run }) => run.id)).toEqual(['r_old', needing.id])
  expect(view.failed).toEqual([])
})

test('an open pull request whose run is unknown is still ready', () => {
  expect(home({ runs: [] }).ready.map(({ run, pull }) => [run, pull.number])).toEqual([
    [null, 12],
    [null, 13],
    [null, 7],
  ])
})

test('what comes next, soonest first; routines without a schedule last', () => {
  expect(home().tonight.map(({ routine }) => routine)).toEqual([
    'import-sorter',
    'nightly-audit',
    'docs-drift',
    'dependency-tidy',
    'dead-exports',
    'changelog',
  ])
})

test('the timeline’s stretches add up to the life of the run', () => {
  const run = { ...needing, createdAt: before(151) }
  const segments = segmentsOf(run, events, morning)
  expect(segments.map(({ state }) => state)).toEqual(['queued', 'preparing', 'working', 'collecting', 'needs_approval'])
  expect(segments.reduce((sum, { ms }) => sum + ms, 0)).toBe(morning.getTime() - run.createdAt.getTime())
  const ended = { ...run, endedAt: events.at(-1)!.at }
  expect(segmentsOf(ended, events, clock.now).reduce((sum, { ms }) => sum + ms, 0)).toBe(
    ended.endedAt.getTime() - run.createdAt.getTime(),
  )
})

test('of thousands of routines the page shows the soonest and those that are held, and how many more there are', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => `r${index}`)
  const page = String(homePage(home({ routines: many, schedules: [], rolledBack: new Set(['r0']) })))
  expect(page.length).toBeLessThan(60 * 1024)
  expect(page).toContain('And 9980 more: <code class="command">overnight routines</code>')
  expect(page).toContain('when somebody asks, rolled back')
})
