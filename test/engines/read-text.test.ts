import { PassThrough, Readable } from 'node:stream'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { pieceBytes, readText } from '../../src/engines/read-text.ts'

async function piecesOf(chunks: Iterable<Buffer>): Promise<string[]> {
  return Array.fromAsync(readText(Readable.from(chunks)))
}

const bytes = Buffer.from('ü€🌙\n')

test('every way to split the bytes gives the same text, in pieces that fit', async () => {
  const text = fc.array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constant('\n'),
      fc.constant('🌙'.repeat(5000)),
      fc.constant('ä'.repeat(9000)),
    ),
  )
  const cuts = fc.array(fc.nat(70_000), { maxLength: 8 })
  const property = fc.asyncProperty(text, cuts, async (parts, cuts) => {
    const whole = Buffer.from(parts.join(''))
    const edges = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length]
    const chunks = edges.slice(1).map((end, at) => whole.subarray(edges[at], end))
    const pieces = await piecesOf(chunks.filter((chunk) => chunk.length > 0))
    expect(pieces.join('')).toBe(whole.toString('utf8'))
    for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(pieceBytes)
    expect(pieces).not.toContain('')
  })
  await fc.assert(property, { numRuns: 60 })
})

test.for<[string, Buffer[], string[]]>([
  ['nothing', [], []],
  ['one line', [Buffer.from('a\n')], ['a\n']],
  ['lines that come together stay together', [Buffer.from('a\nb\nc')], ['a\nb\n', 'c']],
  [
    'a character split over chunks',
    [bytes.subarray(0, 1), bytes.subarray(1, 4), bytes.subarray(4, 7), bytes.subarray(7)],
    ['ü€🌙\n'],
  ],
  ['invalid bytes', [Buffer.from([0x61, 0xff, 0xc3, 0x28, 0x0a])], ['a\ufffd\ufffd(\n']],
  ['a character that never ends', [Buffer.from([0x61, 0xf0, 0x9f])], ['a\ufffd']],
  [
    'a long line after a short one',
    [Buffer.from(`short\n${'x'.repeat(pieceBytes)}`)],
    ['short\n', 'x'.repeat(pieceBytes)],
  ],
  [
    'invalid bytes grow, and still fit',
    [Buffer.alloc(pieceBytes, 0xff)],
    expect.toSatisfy((all: string[]) => all.length === 4),
  ],
])('%s', async ([, chunks, expected]) => {
  expect(await piecesOf(chunks)).toEqual(expected)
})

test('the beginning of a line is told while its end does not come', async () => {
  const stream = new PassThrough()
  const text = readText(stream)
  stream.write('done: 40 %')
  expect((await text.next()).value).toBe('done: 40 %')
  stream.end('\rdone: 100 %\n')
  expect((await text.next()).value).toBe('\rdone: 100 %\n')
  expect(await text.next()).toEqual({ done: true, value: undefined })
})

test('a line that grows for ever is told now and then', async () => {
  const stream = new PassThrough()
  const dots = setInterval(() => stream.write('.'), 20)
  const first = await readText(stream).next()
  clearInterval(dots)
  expect(first.value).toMatch(/^\.{2,}$/)
})

test('a stream that breaks has ended', async () => {
  const stream = new PassThrough()
  const text = Array.fromAsync(readText(stream))
  stream.write('before\n')
  await new Promise((resolve) => setImmediate(resolve))
  stream.destroy(new Error('gone'))
  expect((await text).join('')).toMatch(/^(before\n)?$/)
})
