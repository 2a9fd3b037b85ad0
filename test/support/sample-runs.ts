import type { Run } from '../../src/ledger/schema.ts'
import type { PullView } from '../../src/ui/pull.ts'

/** A Friday morning in Berlin. */
export const morning = new Date('2026-11-20T05:31:00Z')
export const clock = { now: morning, zone: 'Europe/Berlin' }
export const before = (minutes: number, seconds = 0) => new Date(morning.getTime() - minutes * 60_000 - seconds * 1000)

export function runOf(facts: Partial<Run> & Pick<Run, 'id'>): Run {
  return {
    routine: 'dependency-tidy',
    hash: '9f2c41d07be3a6158c0d4e2f7a90b1c3d5e6f708192a3b4c5d6e7f8091a2b3c4',
    file: '/home/ada/routines/dependency-tidy.md',
    alone: false,
    trial: false,
    trigger: 'schedule',
    triggerKey: 'schedule:2026-11-20T01:00:00.000Z',
    retryOf: null,
    inputs: {},
    slotAt: before(271),
    repositoryOverride: null,
    subject: 'main',
    concurrencyKey: '',
    parallel: 1,
    routineLimit: null,
    sender: null,
    depth: 0,
    state: 'published',
    reason: null,
    message: null,
    title: null,
    notes: [],
    repository: '/srv/git/shop.git',
    base: 'main',
    baseCommit: '4be1d2c09f3a7e6658b1c0d4e2f7a90b1c3d5e6f',
    sandbox: 'bubblewrap',
    engine: 'command',
    exit: { because: 'exit', code: 0, signal: null, said: null },
    branch: null,
    commit: null,
    pull: null,
    pullNumber: null,
    pullUrl: null,
    proposal: null,
    files: null,
    costUsd: null,
    tokens: null,
    session: null,
    waits: 0,
    attempt: 1,
    losses: 0,
    fence: 1,
    leaseOwner: null,
    leaseUntil: null,
    dispatchedAt: null,
    waitsFor: null,
    notBefore: before(271),
    cancelRequestedAt: null,
    approvedBy: null,
    createdAt: before(271),
    causedAt: before(271),
    startedAt: before(270, 57),
    endedAt: before(258),
    followersOwed: false,
    followTries: 0,
    followNotBefore: null,
    ...facts,
  }
}

export function pullOf(facts: Partial<PullView> & Pick<PullView, 'id' | 'number'>): PullView {
  return {
    branch: 'overnight/dependency-tidy/main',
    base: 'main',
    head: 'c'.repeat(40),
    state: 'open',
    title: 'A change',
    url: '',
    ...facts,
  }
}

export const pulls: PullView[] = [
  pullOf({ id: 'pl_12', number: 12, branch: 'overnight/import-sorter/main', title: 'Sorted the imports of 14 files' }),
  pullOf({
    id: 'pl_13',
    number: 13,
    branch: 'overnight/contents-list/main',
    title: 'Rebuilt the contents list of the handbook',
  }),
  pullOf({
    id: 'pl_7',
    number: 7,
    branch: 'overnight/flaky-tests/issue-204',
    title: 'Made the retry test wait for the server instead of for a second',
  }),
]

/** A run behind an open pull request. */
export const publishedRun = (pull: PullView, facts: Partial<Run> & Pick<Run, 'id'>) =>
  runOf({ title: pull.title, branch: pull.branch, pull: pull.id, pullNumber: pull.number, commit: '7c1e0b9', ...facts })

export const needing = runOf({
  id: 'r_01jd8k3v7q',
  routine: 'ci-keeper',
  state: 'needs_approval',
  reason: 'policy',
  title: 'Moved the release workflow to Node 24',
  message: '.github/workflows/release.yml runs with the rights of the repository (and 1 more)',
  files: 3,
  costUsd: 0.84,
  startedAt: before(151),
  endedAt: null,
})
export const failing = runOf({
  id: 'r_01jd8m2x4c',
  routine: 'docs-drift',
  state: 'failed',
  reason: 'agent_exit',
  message: 'the agent ended with code 3; what it had changed is kept',
  exit: { because: 'exit', code: 3, signal: null, said: null },
  files: 2,
  costUsd: 0.31,
  startedAt: before(140),
  endedAt: before(131, 12),
})
export const working = runOf({
  id: 'r_01jd8zq6t1',
  routine: 'dead-exports',
  state: 'working',
  trigger: 'api',
  exit: null,
  createdAt: before(4),
  startedAt: before(3, 50),
  endedAt: null,
})
export const sorted = publishedRun(pulls[0]!, {
  id: 'r_01jd8h5n2e',
  routine: 'import-sorter',
  files: 14,
  costUsd: 0.42,
  startedAt: before(201),
  endedAt: before(197),
})
