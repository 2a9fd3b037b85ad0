import { readFileSync } from 'node:fs'
import type { Firing, Run, RunEvent } from '../../src/ledger/schema.ts'
import { composeEdition, type HomeView, type Material } from '../../src/ui/edition.ts'
import type { PullView } from '../../src/ui/pull.ts'
import type { RunView } from '../../src/ui/run.ts'
import type { StoryItem } from '../../src/ui/story.ts'
import type { ToolLine } from '../../src/ui/told.ts'

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
    startedAt: before(270, 57),
    endedAt: before(258),
    followersOwed: false,
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

const published = (pull: PullView, facts: Partial<Run> & Pick<Run, 'id'>) =>
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
const sorted = published(pulls[0]!, {
  id: 'r_01jd8h5n2e',
  routine: 'import-sorter',
  files: 14,
  costUsd: 0.42,
  startedAt: before(201),
  endedAt: before(197),
})

export const material: Material = {
  rolledBack: new Set(['changelog']),
  clock,
  pauses: [{ routine: 'docs-drift', whole: false, at: before(900), by: 'ada', reason: 'until the move is over' }],
  alerts: [
    {
      id: 1,
      kind: 'slot_unrecorded',
      key: 'slot:nightly-audit:2026-11-20T02:00:00.000Z',
      routine: 'nightly-audit',
      message: 'the slot of nightly-audit at 2026-11-20 02:00 UTC has no row: no scheduler has taken it up',
      raisedAt: before(149),
      clearedAt: null,
    },
  ],
  runs: [
    needing,
    sorted,
    published(pulls[1]!, {
      id: 'r_01jd8g1w8b',
      routine: 'contents-list',
      files: 1,
      costUsd: 0.06,
      startedAt: before(212),
      endedAt: before(211),
    }),
    published(pulls[2]!, {
      id: 'r_01jd6c0a9d',
      routine: 'flaky-tests',
      files: 2,
      costUsd: 1.47,
      startedAt: before(1620),
      endedAt: before(1604),
    }),
    failing,
    runOf({
      id: 'r_01jd8n9y3f',
      routine: 'nightly-audit',
      state: 'timed_out',
      reason: 'time_limit',
      message: 'the time limit was reached',
      startedAt: before(180),
      endedAt: before(120),
    }),
    working,
    runOf({
      id: 'r_01jd8zr0aa',
      routine: 'changelog',
      state: 'queued',
      trigger: 'manual',
      createdAt: before(1),
      startedAt: null,
      endedAt: null,
    }),
    runOf({
      id: 'r_01jd8e4r5t',
      state: 'unchanged',
      message: 'nothing needed changing',
      files: 0,
      endedAt: before(269),
    }),
    runOf({
      id: 'r_01jd8e4r6u',
      routine: 'licence-headers',
      state: 'unchanged',
      message: 'the open pull request #5 already holds this change',
      startedAt: before(304),
      endedAt: before(300),
    }),
    runOf({
      id: 'r_01jd8e4r7v',
      routine: 'changelog',
      state: 'cancelled',
      reason: 'cancelled',
      message: 'cancelled by a person',
      startedAt: before(411),
      endedAt: before(410),
    }),
  ],
  pulls,
  schedules: [
    {
      routine: 'dependency-tidy',
      cron: '0 2 * * 1-5',
      timezone: 'Europe/Berlin',
      nextFireAt: new Date('2026-11-23T01:00:00Z'),
      since: before(271),
      catchUp: { mode: 'last', maxAgeMs: 21_600_000, max: 100 },
    },
    {
      routine: 'import-sorter',
      cron: '15 3 * * *',
      timezone: 'Europe/Berlin',
      nextFireAt: new Date('2026-11-21T02:15:00Z'),
      since: before(271),
      catchUp: { mode: 'last', maxAgeMs: 21_600_000, max: 100 },
    },
    {
      routine: 'nightly-audit',
      cron: '0 22 * * *',
      timezone: 'America/New_York',
      nextFireAt: new Date('2026-11-21T03:00:00Z'),
      since: before(271),
      catchUp: { mode: 'last', maxAgeMs: 21_600_000, max: 100 },
    },
    {
      routine: 'docs-drift',
      cron: '30 4 * * *',
      timezone: 'Europe/Berlin',
      nextFireAt: new Date('2026-11-21T03:30:00Z'),
      since: before(271),
      catchUp: { mode: 'last', maxAgeMs: 21_600_000, max: 100 },
    },
  ],
  slots: [
    {
      routine: 'weekly-report',
      at: before(331),
      outcome: 'missed',
      late: false,
      reason: 'max_age',
      firing: null,
      recordedAt: before(2),
    },
  ],
  routines: ['dependency-tidy', 'import-sorter', 'nightly-audit', 'docs-drift', 'dead-exports', 'changelog'],
  problems: [{ file: 'weekly-report.md:7:3', message: 'unknown key "shedule"', hint: 'did you mean "schedule"?' }],
  live: null,
}

export const home = (changes: Partial<Material> = {}): HomeView => composeEdition({ ...material, ...changes })

const say = (at: Date, text: string, stream?: 'stdout' | 'stderr'): StoryItem => ({
  kind: 'output',
  line: { at: at.toISOString(), content: { type: 'text', text }, ...(stream ? { stream } : {}) },
})

export const story: StoryItem[] = [
  say(before(150, 50), 'Reading 41 files under src/ and .github/.\n', 'stdout'),
  say(before(150, 49), 'node 24.21.0 is the current release line; 3 files name an older one.\n', 'stdout'),
  say(before(150, 44), 'warning: .nvmrc and package.json disagree: "22" and ">=20"\n', 'stderr'),
  say(before(150, 44), 'warning: taking package.json as the one that is meant\n', 'stderr'),
  { kind: 'left_out', bytes: 48_213 },
  say(before(149), '.github/workflows/release.yml: node-version 20 → 24\n', 'stdout'),
  say(before(149), '.nvmrc: 22 → 24\n', 'stdout'),
  say(before(148, 58), 'src/retry.ts: AbortSignal.any is there since 20.3, so the helper can go\n', 'stdout'),
  say(before(146), '212 tests passed\n', 'stdout'),
  say(before(146), 'Moved the release workflow to Node 24\n', 'stdout'),
]

const tool = (
  at: Date,
  answeredAt: Date,
  call: { id: string; title: string; kind: ToolLine['kind']; given?: string; result: string; failed?: true },
): StoryItem[] => {
  const texts = (text = '') =>
    text === '' ? [] : [{ type: 'content' as const, content: { type: 'text' as const, text } }]
  const same = { toolCallId: call.id, title: call.title, kind: call.kind }
  const asked: ToolLine = {
    at: at.toISOString(),
    sessionUpdate: 'tool_call',
    status: 'in_progress',
    ...same,
    content: texts(call.given),
  }
  const answer: ToolLine = {
    at: answeredAt.toISOString(),
    sessionUpdate: 'tool_call_update',
    status: call.failed ? 'failed' : 'completed',
    ...same,
    content: texts(call.result),
  }
  return [
    { kind: 'tool', call: asked, answer: undefined },
    { kind: 'tool', call: undefined, answer },
  ]
}

/** What an agent with tools tells. */
export const agentStory: StoryItem[] = [
  { kind: 'thought', text: 'The workflow names Node 20. I should see who else does, before I change one of them.' },
  say(before(150, 50), 'I will look at what names a Node version, then move all of them at once.\n'),
  ...tool(before(150, 49), before(150, 48), {
    id: 'a',
    title: 'Bash rg --line-number "node-version|engines" .github package.json',
    kind: 'execute',
    result: '.github/workflows/release.yml:14: node-version: 20\npackage.json:9: "engines": { "node": ">=20" }\n',
  }),
  ...tool(before(150, 40), before(150, 40), {
    id: 'b',
    title: 'Edit .github/workflows/release.yml',
    kind: 'edit',
    given: '- node-version: 20\n+ node-version: 24\n',
    result: 'The file has been updated.',
  }),
  ...tool(before(149), before(147, 30), {
    id: 'c',
    title: 'Bash npm test',
    kind: 'execute',
    result: 'Exit code 1\nsrc/retry.ts: AbortSignal.any is not a function\n',
    failed: true,
  }),
  say(before(147, 20), 'One test fails on the old helper. It can go: the platform has it now.\n'),
  ...tool(before(147), before(146, 20), {
    id: 'd',
    title: 'Bash npm test',
    kind: 'execute',
    result: '212 tests passed\n',
  }),
  say(
    before(146),
    'Moved the release workflow to Node 24\n\nThree files named an older one; all of them agree now, and the tests pass.\n',
  ),
]

export const diff = readFileSync(new URL('change.diff', import.meta.url), 'utf8')

export const events: RunEvent[] = [
  { state: 'preparing' },
  { state: 'working' },
  { state: 'collecting' },
  { findings: [1, 2] },
  {
    state: 'needs_approval',
    reason: 'policy',
    message: '.github/workflows/release.yml runs with the rights of the repository (and 1 more)',
  },
].map((data, place) => ({
  id: place + 1,
  run: needing.id,
  fence: 1,
  kind: 'findings' in data ? 'gate' : 'state',
  data,
  at: [before(150, 57), before(150, 53), before(145, 55), before(145, 51), before(145, 51)][place]!,
}))

const firing: Firing = {
  id: 'f_01',
  routine: needing.routine,
  triggerKey: needing.triggerKey,
  trigger: 'schedule',
  outcome: 'accepted',
  reason: null,
  run: needing.id,
  inputs: {},
  at: before(151),
  by: 'schedule',
  delivery: null,
  payload: null,
  createdAt: before(151),
}

export function runView(changes: Partial<RunView> = {}): RunView {
  return {
    clock,
    run: {
      ...needing,
      createdAt: before(151),
      inputs: { scope: 'release line only' },
      notes: ['no limit of its own for memory'],
    },
    pull: null,
    firings: [firing],
    attempts: [],
    version: { file: 'routines/ci-keeper.md', hash: needing.hash, commit: 'a81c09de22f14b0c9d1e77a6b4f3c2d1e0f9a8b7' },
    events,
    story,
    patch: {
      cut: false,
      diff,
      changes: [
        {
          path: '.github/workflows/release.yml',
          status: 'modified',
          oldMode: '100644',
          newMode: '100644',
          bytes: 812,
          added: 3,
          removed: 2,
          binary: false,
        },
        {
          path: '.nvmrc',
          status: 'modified',
          oldMode: '100644',
          newMode: '100644',
          bytes: 3,
          added: 1,
          removed: 1,
          binary: false,
        },
        {
          path: 'src/retry.ts',
          status: 'modified',
          oldMode: '100644',
          newMode: '100644',
          bytes: 1204,
          added: 3,
          removed: 12,
          binary: false,
        },
        {
          path: 'docs/images/release flow.png',
          status: 'added',
          oldMode: '000000',
          newMode: '100644',
          bytes: 20_417,
          added: 0,
          removed: 0,
          binary: true,
        },
      ],
      findings: [
        {
          rule: 'protected_path',
          path: '.github/workflows/release.yml',
          message: '.github/workflows/release.yml runs with the rights of the repository',
        },
        {
          rule: 'binary',
          path: 'docs/images/release flow.png',
          message: 'docs/images/release flow.png is not text and cannot be read as a diff',
        },
      ],
    },
    live: null,
    ...changes,
  }
}

/** A finished run behind an open pull request. */
export const publishedView = (): RunView =>
  runView({
    run: { ...sorted, startedAt: before(204) },
    pull: pulls[0]!,
    events: [
      ...events.slice(0, 3),
      { ...events[3]!, id: 4, kind: 'state', data: { state: 'publishing' }, at: before(145, 40) },
      { ...events[3]!, id: 5, kind: 'state', data: { state: 'published' }, at: before(145, 31) },
    ],
  })
