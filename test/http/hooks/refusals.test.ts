import { expect, test } from 'vitest'
import { BadRequest, LedgerUnreachable, NotFound, SetupError } from '../../../src/errors.ts'
import { createRefusals } from '../../../src/http/hooks/refusals.ts'

function open(everyMs?: number) {
  const lines: object[] = []
  const kept = new Map<string, Record<string, unknown>>()
  const told = Promise.withResolvers<void>()
  const refusals = createRefusals({
    settings: {
      put: (key, value) => Promise.resolve(void kept.set(key, value)),
      find: (key) => Promise.resolve(kept.has(key) ? { value: kept.get(key)!, at: new Date(0) } : undefined),
    },
    log: { warn: (line: object) => void (lines.push(line) === 2 && told.resolve()) },
    ...(everyMs === undefined ? {} : { everyMs }),
  })
  return { refusals, lines, told: told.promise }
}

test('the first is told at once, the others of that minute together, with the last reason', async () => {
  const { refusals, lines, told } = open(50)
  expect(refusals.note('github', new SetupError('no secret is set', 'set it'))).toBe(true)
  for (let sent = 0; sent < 999; sent++) refusals.note('github', new BadRequest('not JSON'))
  expect(lines).toEqual([{ source: 'github', refused: 1, reason: 'no secret is set', hint: 'set it' }])
  await told
  expect(lines[1]).toEqual({ source: 'github', refused: 999, reason: 'not JSON', hint: undefined })
  expect(await refusals.last('github')).toEqual({ at: new Date(0), count: 999, reason: 'not JSON' })
  expect(await refusals.last('other')).toBeUndefined()
})

test.each([
  ['nothing there', new NotFound('webhook source', 'x')],
  ['a ledger that is away', new LedgerUnreachable('somewhere', undefined)],
  ['a surprise', new Error('x')],
])('%s is no refusal', (_, error) => {
  const { refusals, lines } = open()
  expect([refusals.note('x', error), lines]).toEqual([false, []])
})

test('names that strangers make up are bounded', () => {
  const { refusals, lines } = open()
  for (let name = 0; name < 1000; name++) refusals.note(`x${name}`, new BadRequest('no'))
  expect(lines).toHaveLength(100)
})
