import assert from 'node:assert/strict'
import { test } from 'node:test'
import { table } from '../src/index.js'

test('numbers stand to the right, words to the left', () => {
  const rows = [
    ['city', 'people'],
    ['Zürich', 434008],
    ['Bern', 4794],
  ]
  assert.equal(table(rows), ['city    people', '------  ------', 'Zürich  434008', 'Bern      4794'].join('\n'))
})

test('wide characters take two columns', () => {
  assert.equal(
    table([
      ['a', 'b'],
      ['漢字', 'x'],
    ]),
    ['a     b', '----  -', '漢字  x'].join('\n'),
  )
})

test('a short row has empty cells', () => {
  assert.equal(table([['a', 'b'], ['1']]), ['a  b', '-  -', '1'].join('\n'))
})
