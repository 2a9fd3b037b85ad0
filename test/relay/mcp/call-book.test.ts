import { expect, test } from 'vitest'
import { createCallBook } from '../../../src/relay/mcp/call-book.ts'

function open() {
  const told: string[] = []
  return { told, book: createCallBook((text) => told.push(text)) }
}

test('each tool once, with how often; refusals and failures at once, too', () => {
  const { told, book } = open()
  for (let times = 0; times < 1234; times += 1) book.called('linear', 'search')
  book.called('linear', 'create_issue')
  book.called('sentry', 'find')
  for (let times = 0; times < 2; times += 1) book.refused('linear', 'delete')
  for (let times = 0; times < 3; times += 1) book.failed('sentry', 'sentry answered 500')
  expect(told).toEqual([
    'connector linear: refused delete: it is not allowed in this run',
    'connector sentry: sentry answered 500',
  ])
  book.close()
  book.close()
  expect(told.slice(2)).toEqual([
    'connector linear: search ×1,234, create_issue ×1, refused delete ×2',
    'connector sentry: find ×1, sentry answered 500 (3 times in all)',
  ])
})

test('10,000 names are 20 lines and one, and none of them is more than plain text', () => {
  const { told, book } = open()
  for (let name = 0; name < 10_000; name += 1) book.refused('linear', `tool-${name}\n\u001b[2J${'x'.repeat(1000)}`)
  book.close()
  expect(told).toHaveLength(21)
  expect(told[0]).toMatch(/^connector linear: refused tool-0\\u\{a\}\\u\{1b\}\[2Jx+…: it is not allowed in this run$/)
  expect(told.at(-1)).toContain('refused others ×9,980')
  expect(told.join('')).not.toMatch(/[\n\u001b]/)
})
