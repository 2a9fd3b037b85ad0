import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isTestNamed, patternOf } from '../support/named-tests.ts'
import { controls } from './controls.ts'
import { house, whyNot } from './copy.ts'

test.each(controls)('$name: it can still be broken, and its test is there', ({ edits, proof }) => {
  expect(edits.flatMap((edit) => whyNot(edit, readFileSync(join(house, edit.file), 'utf8')) ?? [])).toEqual([])
  expect([proof.file, proof.title, isTestNamed(proof.file, proof.title)]).toEqual([proof.file, proof.title, true])
})

test('there are more than twenty, and none twice', () => {
  expect(new Set(controls.map(({ name }) => name)).size).toBe(controls.length)
  expect(controls.length).toBeGreaterThan(20)
})

test.each([
  ['no such file', 'test/nowhere.test.ts', 'a title', false],
  ['no such title', 'test/log.test.ts', 'no such title', false],
  ['a part of a title', 'test/docs.test.ts', 'the table of keys', false],
])('%s', (_what, file, title, is) => {
  expect(isTestNamed(file, title)).toBe(is)
})

test('what a title says of its rows fits any of them', () => {
  expect(new RegExp(patternOf('%s: a (real) $name?')).test('slack: a (real) one?')).toBe(true)
  expect(new RegExp(patternOf('a.b')).test('aXb')).toBe(false)
})
