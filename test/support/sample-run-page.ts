import { readFileSync } from 'node:fs'
import type { Firing, RunEvent } from '../../src/ledger/schema.ts'
import type { RunView } from '../../src/ui/run.ts'
import { before, clock, needing, pulls, sorted } from './sample-runs.ts'
import { story } from './sample-story.ts'

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
  payloadRemovedAt: null,
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
    prompt: [
      {
        from: null,
        text: 'You work unattended on the routine "ci-keeper"; nobody answers questions.\n\nLook into ',
        cut: 0,
      },
      { from: 'event.title', text: 'Release fails on Node 24', cut: 0 },
      { from: null, text: ' and propose the smallest change.\n', cut: 0 },
    ],
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
