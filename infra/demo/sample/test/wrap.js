import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bullets, wrap } from '../src/index.js'
import { columnsOf } from '../src/width.js'

test('breaks at spaces', () => {
  assert.equal(wrap('the quick brown fox', 9), 'the quick\nbrown fox')
})

test('a word that is too wide stays whole', () => {
  assert.equal(wrap('an extraordinary day', 5), 'an\nextraordinary\nday')
})

test('bullets are wrapped under their first word', () => {
  assert.equal(bullets(['the quick brown fox', 'jumps'], 11), '- the quick\n  brown fox\n- jumps')
})

test('a mark takes no column of its own', () => {
  assert.deepEqual(['e', '\u0301', '漢'].map(columnsOf), [1, 0, 2])
})
