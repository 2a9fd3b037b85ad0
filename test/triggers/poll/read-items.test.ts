import { describe, expect, test } from 'vitest'
import { readSource } from '../../../src/routines/webhooks/read-source.ts'
import { pauseAfter, retryAfterMs } from '../../../src/triggers/poll/pause.ts'
import { pollKey } from '../../../src/triggers/poll/poller.ts'
import { readItems } from '../../../src/triggers/poll/read-items.ts'

const sourceOf = (poll: string, more = '') => {
  const read = readSource('/w/jobs.yaml', `${more}poll: { url: "https://a.example", every: 1m${poll} }`)
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  const { poll: asked } = read.defined
  if (asked === null) throw new Error('not asked')
  return { ...read.defined, poll: asked }
}
const read = (answer: unknown, source = sourceOf('')) =>
  readItems(Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)), source)
const keys = (items: ReturnType<typeof readItems>) => ('rows' in items ? items.rows.map(({ key }) => key) : items)

describe('items of an answer', () => {
  test('stand where the source says, and are events like others', () => {
    const source = sourceOf(', items: data.jobs, id: meta.uid', 'event: { body: kind }\n')
    const job = { meta: { uid: 'a' }, kind: 'failed', note: '日本' }
    expect(read({ data: { jobs: [job] } }, source)).toEqual({
      rows: [{ source: 'jobs', key: 'a', event: 'failed', headers: {}, body: Buffer.from(JSON.stringify(job)) }],
      note: null,
    })
    expect(read([{ id: 1 }])).toMatchObject({ rows: [{ key: '1', event: 'item' }], note: null })
    expect(read([])).toEqual({ rows: [], note: null })
    expect(keys(read({ lists: [[{ id: 'x' }]] }, sourceOf(', items: lists.0')))).toEqual(['x'])
  })

  test('the same id twice is the first one; numbers and texts are the same name', () => {
    const items = read([{ id: 7, first: true }, { id: '7' }, { id: 7 }, { id: 'b' }])
    expect(keys(items)).toEqual(['7', 'b'])
    expect('rows' in items && items.rows[0]!.body.toString()).toBe('{"id":7,"first":true}')
  })

  test('an item without a name is passed over, and that is said; a list of such is not what was meant', () => {
    const odd = [null, {}, [], true, '', 'text', 7].map((id) => ({ id }))
    expect(read([...odd, 'text', null, [1]])).toEqual({
      rows: [expect.objectContaining({ key: 'text' }), expect.objectContaining({ key: '7' })],
      note: '8 of 10 items have no text or number at "id"; they were passed over',
    })
    expect(read([{ id: null }, 'x'])).toEqual({ unreadable: '2 of 2 items have no text or number at "id"' })
  })

  test.each([
    ['not JSON', 'it is down', /^the answer cannot be read: it is not JSON$/],
    ['nothing', '', /it is not JSON$/],
    ['JSON cut off', '[{"id":', /it is not JSON$/],
    ['lists in lists', '['.repeat(100_000), /nested more than 200 deep$/],
    ['no list', { id: 1 }, /^there is no list: the answer is a map$/],
    ['a text', '"x"', /the answer is a string$/],
    ['null', 'null', /the answer is null$/],
    ['too many', Array.from({ length: 5001 }, (_, id) => ({ id })), /^there are more than 5000 items/],
  ])('%s', (_what, answer, says) => {
    expect(read(answer)).toEqual({ unreadable: expect.stringMatching(says) as string })
  })

  test.each([
    ['no such path', {}, 'there is no list: at "data.jobs" of the answer is nothing'],
    ['a path of the language', { data: {} }, 'there is no list: at "data.jobs" of the answer is nothing'],
    ['something else there', { data: { jobs: 'none' } }, 'there is no list: at "data.jobs" of the answer is a string'],
  ])('%s', (_what, answer, unreadable) => {
    expect(read(answer, sourceOf(', items: data.jobs'))).toEqual({ unreadable })
  })

  test('no UTF-8', () => {
    expect(readItems(Buffer.from([0x5b, 0xff, 0x5d]), sourceOf(''))).toEqual({
      unreadable: 'the answer cannot be read: it is no UTF-8 text',
    })
  })
})

test('the pause doubles up to an hour, and is never shorter than usual or than asked for', () => {
  expect([1, 2, 3, 6, 50].map((failures) => pauseAfter(failures, 60_000))).toEqual([
    120_000, 240_000, 480_000, 3_600_000, 3_600_000,
  ])
  expect(pauseAfter(1, 86_400_000)).toBe(86_400_000)
  expect(pauseAfter(1, 60_000, 600_000)).toBe(600_000)
  expect(pauseAfter(1, 60_000, 10 ** 12)).toBe(3_600_000)
  const now = new Date('2026-11-21T16:00:00Z')
  expect(retryAfterMs('120', now)).toBe(120_000)
  expect(retryAfterMs('Sat, 21 Nov 2026 16:01:00 GMT', now)).toBe(60_000)
  for (const odd of [undefined, '', '-5', 'soon', 'Sat, 21 Nov 2020 16:01:00 GMT'])
    expect(retryAfterMs(odd, now)).toBe(0)
})

test('another question begins anew; headers and the time between looks are no question', () => {
  const key = pollKey(sourceOf(''))
  expect(pollKey(sourceOf(', headers: { a: b }'))).toBe(key)
  for (const other of [', items: data', ', id: uid']) expect(pollKey(sourceOf(other))).not.toBe(key)
})
