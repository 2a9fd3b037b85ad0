import { expect, test } from 'vitest'
import type { Change } from '../../src/checkout/patch.ts'
import { changesSection } from '../../src/ui/changes.ts'
import { runOf } from '../support/sample-runs.ts'

const added = {
  status: 'added',
  oldMode: '000000',
  newMode: '100644',
  bytes: 1,
  added: 1,
  removed: 0,
  binary: false,
} as const
const changesOf = (count: number): Change[] =>
  Array.from({ length: count }, (_, index) => ({ ...added, path: `${'long/'.repeat(40)}${index}` }))
const pageOf = (changes: Change[]) =>
  String(changesSection(runOf({ id: 'r_1' }), { changes, findings: [], diff: '', cut: false }))

test('of nineteen thousand files a page names some hundred, and says how many there are', () => {
  const page = pageOf(changesOf(19_000))
  expect(page.length).toBeLessThan(1_000_000)
  expect(page).toContain('<span class="count">19000</span>')
  expect(page).toMatch(/And 18[,.]?500 more files\./)
  expect(page.match(/<details /g)).toHaveLength(500)
})

test('of a few it names all', () => {
  const page = pageOf(changesOf(500))
  expect(page.match(/<details /g)).toHaveLength(500)
  expect(page).not.toContain('more file')
})
