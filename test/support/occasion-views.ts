import type { DeliveryRow, OccasionRow, SlotRow } from '../../src/ledger/occasions.ts'
import type { DeliveryView } from '../../src/ui/delivery.ts'
import type { OccasionsView } from '../../src/ui/occasions.ts'
import { before, clock } from './sample-runs.ts'

export function deliveryOf(facts: Partial<DeliveryRow> & Pick<DeliveryRow, 'id'>): DeliveryRow {
  return {
    source: 'github',
    key: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    signed: null,
    event: 'pull_request',
    headers: {},
    action: 'opened',
    repository: 'acme/shop',
    sender: 'mona',
    subject: 'pr-7',
    outcome: 'fired',
    reason: null,
    replayOf: null,
    tries: 0,
    error: null,
    notBefore: before(42),
    receivedAt: before(42),
    settledAt: before(42),
    bodyRemovedAt: null,
    bytes: 21_034,
    place: { at: '', what: '' },
    firings: [],
    ...facts,
  }
}

const slotOf = (facts: Partial<SlotRow> & Pick<SlotRow, 'routine'>): SlotRow => ({
  at: before(271),
  outcome: 'fired',
  late: false,
  reason: null,
  firing: null,
  recordedAt: before(271),
  run: null,
  place: { at: '', what: '' },
  ...facts,
})

const fired = deliveryOf({
  id: '3vd0q6x2m8k1pz4h',
  firings: [
    {
      id: '9k2m4x7c0v5b8n1q',
      delivery: '3vd0q6x2m8k1pz4h',
      routine: 'ci-keeper',
      outcome: 'accepted',
      reason: null,
      run: 'r_01jd8k3v7q',
    },
    {
      id: '1c5x8z2b6n4m7q0w',
      delivery: '3vd0q6x2m8k1pz4h',
      routine: 'docs-drift',
      outcome: 'skipped',
      reason: 'paused',
      run: null,
    },
  ],
  reason: 'docs-drift: paused',
})

const rows: readonly OccasionRow[] = [
  { delivery: fired },
  {
    delivery: deliveryOf({
      id: '7h4k9p2w5t8y1r3e',
      source: 'sentry',
      event: 'issue',
      action: 'created',
      repository: null,
      sender: null,
      subject: null,
      outcome: null,
      tries: 3,
      error: 'GitHub could not be asked who may do this: 502 Bad Gateway',
      notBefore: before(-2),
      settledAt: null,
    }),
  },
  {
    delivery: deliveryOf({
      id: '5q1w8e4r7t2y6u9i',
      event: 'issue_comment',
      action: 'created',
      subject: 'issue-12',
      sender: 'stranger',
      outcome: 'refused',
      reason: 'issue-triage: stranger may not write to acme/shop',
      replayOf: '3vd0q6x2m8k1pz4h',
    }),
  },
  { delivery: deliveryOf({ id: '8m3n6b9v2c5x1z4a', event: 'star', subject: null, outcome: 'unmatched' }) },
  { slot: slotOf({ routine: 'dependency-tidy', run: 'r_01jd8e4r5t', late: true }) },
  { slot: slotOf({ routine: 'weekly-report', outcome: 'missed', reason: 'max_age' }) },
  { slot: slotOf({ routine: 'nightly-audit', outcome: 'skipped', reason: 'paused' }) },
  { slot: slotOf({ routine: 'docs-drift', outcome: null }) },
]

export const occasionsView = (changes: Partial<OccasionsView> = {}): OccasionsView => ({
  clock,
  rows,
  routine: null,
  outcome: null,
  routines: ['dependency-tidy', 'docs-drift', 'issue-triage', 'nightly-audit', 'weekly-report'],
  older: '/occasions?before=2026-11-20T01%3A00%3A00.000000Z~slot%3Adocs-drift',
  ...changes,
})

const payload = {
  action: 'opened',
  number: 7,
  pull_request: { title: 'Move the release workflow to Node 24', head: { ref: 'node-24' }, draft: false },
  repository: { full_name: 'acme/shop' },
  sender: { login: 'mona' },
}

export const deliveryView = (changes: Partial<DeliveryView> = {}): DeliveryView => ({
  clock,
  delivery: fired,
  headers: { 'x-github-event': 'pull_request', 'user-agent': 'GitHub-Hookshot/044aadd' },
  body: { text: JSON.stringify(payload, null, 2), cut: false, bytes: 21_034 },
  removed: null,
  ...changes,
})
