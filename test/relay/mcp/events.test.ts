import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EventTooLong, readEvents, writeEvent } from '../../../src/relay/mcp/events.ts'

const read = (chunks: (string | Buffer)[], most = 1000) => {
  async function* stream() {
    for (const chunk of chunks) yield Buffer.from(chunk)
  }
  return Array.fromAsync(readEvents(stream(), most))
}
const plain = { event: '', id: undefined, retry: undefined }

describe('events of a stream', () => {
  test.for<[what: string, text: string, events: unknown[]]>([
    ['one', 'data: {"a":1}\n\n', [{ ...plain, data: '{"a":1}' }]],
    [
      'with everything',
      'event: message\nid: 7\nretry: 100\ndata:x\n\n',
      [{ event: 'message', id: '7', retry: '100', data: 'x' }],
    ],
    ['in several lines', 'data: a\ndata: b\n\n', [{ ...plain, data: 'a\nb' }]],
    [
      'with other line ends',
      'data: a\r\n\r\ndata: b\r\rdata: c\n\n',
      ['a', 'b', 'c'].map((data) => ({ ...plain, data })),
    ],
    ['a sign of life', ': ping\n\n', ['alive']],
    ['a place to go on from', 'id: 1\ndata:\n\n', [{ ...plain, id: '1', data: '' }]],
    ['one that has no end', 'data: a\n', []],
    ['fields that are none', 'datas: a\ndata\nretry: soon\n\n', [{ ...plain, data: '' }]],
  ])('%s', async ([, text, events]) => {
    expect(await read([text])).toEqual(events)
  })

  test('are the same however they arrive', async () => {
    const text = 'id: ü\r\ndata: a€\r\n\r\n: x\ndata: b\n\n\ndata: c\r\r'
    const whole = await read([text])
    expect(whole).toHaveLength(4)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: Buffer.byteLength(text) }), { maxLength: 6 }),
        async (cuts) => {
          const bytes = Buffer.from(text)
          const at = [0, ...cuts.sort((a, b) => a - b), bytes.length]
          expect(await read(at.slice(1).map((end, index) => bytes.subarray(at[index], end)))).toEqual(whole)
        },
      ),
    )
  })

  test('are written as they are read', async () => {
    const events = [{ ...plain, data: '{"a":"b"}' }, { ...plain, id: '1', retry: '5', data: '' }, 'alive' as const]
    expect(await read(events.map(writeEvent))).toEqual(events)
  })

  test.each([
    ['a line without end', 'x'.repeat(1001)],
    ['lines without end', 'data: x\n'.repeat(200)],
  ])('%s', async (_what, text) => {
    await expect(read([text])).rejects.toThrow(EventTooLong)
  })
})
