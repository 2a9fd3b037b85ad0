import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isTestNamed } from './support/named-tests.ts'

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
const rows = read('docs/threats.md')
  .split('\n')
  .filter((line) => /^\| (?!threat )/.test(line))
  .map((line) => line.slice(2, -2).split(/(?<!\\) \| /) as [string, string, string, string])
const [open, held] = [
  rows.filter(([, , , proof]) => proof.startsWith('not yet: ')),
  rows.filter(([, , , proof]) => !proof.startsWith('not yet: ')),
]

test.each(held)('%s: its control and its tests are there', (_threat, control, where, proof) => {
  expect(control).toMatch(/^.{20,}$/)
  const files = where.split(', ').map((file) => `src/${file.slice(1, -1)}`)
  expect(files.filter((file) => !existsSync(new URL(`../${file}`, import.meta.url)))).toEqual([])
  const tests = proof.split('<br>').map((one) => /^`(test\/[^`]+)` › `(.+)`$/.exec(one) ?? [])
  expect(tests.filter(([, file = '', title = '']) => !isTestNamed(file, title.replaceAll('\\|', '|')))).toEqual([])
})

test('most threats have a proof, those without say so, and none is told twice', () => {
  expect(rows.every((row) => row.length === 4)).toBe(true)
  expect(new Set(rows.map(([threat]) => threat)).size).toBe(rows.length)
  expect(held.length).toBeGreaterThan(40)
  expect(open.length).toBeLessThan(5)
})

test('the README leads there', () => {
  expect(read('README.md')).toContain('(docs/threats.md)')
})
