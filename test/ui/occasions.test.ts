import { expect, test } from 'vitest'
import { deliveryHeadline, deliveryReason, outcomeWords } from '../../src/ui/occasion-words.ts'
import { factsSection } from '../../src/ui/facts.ts'
import { errorPage } from '../../src/ui/message.ts'
import { deliveryPage } from '../../src/ui/delivery.ts'
import { occasionsPage } from '../../src/ui/occasions.ts'
import { occasionOutcomes } from '../../src/ledger/occasions.ts'
import { deliveryOf, deliveryView, occasionsView } from '../support/occasion-views.ts'
import { clock } from '../support/sample-runs.ts'
import { runView } from '../support/sample-run-page.ts'

test('every outcome has a shape and a word of its own', () => {
  const words = occasionOutcomes.map((outcome) => outcomeWords[outcome])
  expect(new Set(words.map(({ shape }) => shape)).size).toBe(words.length)
  expect(new Set(words.map(({ word }) => word)).size).toBe(words.length)
})

const nothing = { action: null, subject: null, repository: null }
test.each([
  [{}, 'Pull request opened, pr-7 in acme/shop'],
  [{ subject: null }, 'Pull request opened, acme/shop'],
  [{ ...nothing, event: 'star' }, 'Star'],
  [{ ...nothing, source: 'sentry', event: 'metric_alert', action: 'critical' }, 'metric_alert critical'],
])('%j is headed %j', (facts, says) => {
  expect(deliveryHeadline(deliveryOf({ id: 'd', ...facts }))).toBe(says)
})

test.each([
  ['fired', 'other: paused', null],
  ['skipped', 'one: paused; two: overlap', 'one: the routine was paused; two: a run of it had not ended yet'],
  ['refused', 'one: mona may not: ask them', 'one: mona may not: ask them'],
  ['refused', 'one: constructor', 'one: constructor'],
  ['refused', 'it cannot be read', 'it cannot be read'],
  ['unmatched', null, null],
  ['unmatched', 'no routine is for it', 'No routine is for it'],
  [null, null, 'GitHub is away'],
] as const)('%s because %j: %j', (outcome, reason, says) => {
  expect(deliveryReason(deliveryOf({ id: 'd', outcome, reason, error: 'GitHub is away' }))).toBe(says)
})

test('what the list is narrowed to stays chosen, also a routine that is gone', () => {
  const text = String(occasionsPage(occasionsView({ routine: 'long-gone', outcome: 'missed' }))).replaceAll(/\s+/g, ' ')
  expect(text).toContain('<option value="long-gone" selected>')
  expect(text).toContain('<option value="missed" selected>')
})

test('the facts of a run lead to the event that caused it', () => {
  const view = runView()
  const [firing] = view.firings
  const facts = (delivery: string | null) => String(factsSection({ ...view, firings: [{ ...firing!, delivery }] }))
  expect(facts('3vd0q6x2m8k1pz4h')).toContain('href="/deliveries/3vd0q6x2m8k1pz4h"')
  expect(facts(null)).not.toContain('/deliveries/')
})

test('a source that is its own sender is named once', () => {
  const page = (sender: string) => {
    const delivery = deliveryOf({ id: 'd', source: 'deploys', sender })
    const list = String(occasionsPage(occasionsView({ rows: [{ delivery }] })))
    return [list.includes('by deploys'), String(deliveryPage(deliveryView({ delivery }))).includes('<dt>Sender</dt>')]
  }
  expect(page('deploys')).toEqual([false, false])
  expect(page('deploys-bot')).toEqual([true, true])
})

test('a command in what to do next is set apart, for copying', () => {
  const text = String(errorPage({ status: 404, message: 'no "<b>"', hint: '`overnight runs` lists <them>' }, clock))
  expect(text).toContain('<p><code class="command">overnight runs</code> lists &lt;them&gt;.</p>')
})
