import * as fc from 'fast-check'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { firstLine, unframe } from '../../../src/sandboxes/docker/frames.ts'

/** As Docker sends what a container wrote in these pieces. */
function framed(pieces: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    pieces.flatMap((piece) => {
      const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0])
      header.writeUInt32BE(piece.length, 4)
      return [header, piece]
    }),
  )
}

/** The same bytes, cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
}

const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 })
const places = fc.array(fc.nat(), { maxLength: 20 })

test('what was written arrives, wherever the connection cuts it', async () => {
  const property = fc.asyncProperty(pieces, places, async (written, places) => {
    const arrived = await buffer(unframe(Readable.from(cut(framed(written), places))))
    expect(arrived.equals(Buffer.concat(written))).toBe(true)
  })
  await fc.assert(property)
})

test('the first line is taken, and what follows it stays', async () => {
  const property = fc.asyncProperty(
    fc.string().filter((line) => !line.includes('\n')),
    fc.string(),
    places,
    async (line, rest, places) => {
      const bytes = Buffer.from(`${line}\n${rest}`)
      const stream = unframe(Readable.from(cut(framed([bytes]), places)))
      expect([await firstLine(stream), await text(stream)]).toEqual([
        Buffer.from(line).toString(),
        Buffer.from(rest).toString(),
      ])
    },
  )
  await fc.assert(property)
})

test('a stream that ends before its first line, or breaks', async () => {
  expect(await firstLine(unframe(Readable.from([framed([Buffer.from('no line')])])))).toBe('')
  expect(await firstLine(unframe(Readable.from([])))).toBe('')
  const broken = new Readable({ read: () => undefined })
  const line = firstLine(unframe(broken))
  broken.destroy(new Error('cut off'))
  expect(await line).toBe('')
})

test('nobody reads: the connection is not read either', async () => {
  let taken = 0
  const endless = new Readable({
    read() {
      taken += 1
      this.push(framed([Buffer.alloc(16_384)]))
    },
  })
  const stream = unframe(endless)
  await once(stream, 'readable')
  expect(taken).toBeLessThan(16)
  const closed = once(endless, 'close')
  stream.destroy()
  await closed
})
