import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createUsageReader } from '../../src/relay/usage.ts'

const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`
const streamed = [
  event('message_start', {
    message: {
      model: 'claude-x',
      usage: { input_tokens: 12, cache_read_input_tokens: 5, cache_creation_input_tokens: 3, output_tokens: 1 },
    },
  }),
  event('content_block_delta', { delta: { type: 'text_delta', text: 'the word "usage": {"output_tokens": 9000} ü' } }),
  event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 44 } }),
  event('message_stop', {}),
].join('')
const told = { model: 'claude-x', usage: { input: 12, output: 44, cacheRead: 5, cacheWrite: 3 } }

function read(contentType: string, chunks: readonly (string | Buffer)[]) {
  const reader = createUsageReader(contentType)
  for (const chunk of chunks) reader.read(Buffer.from(chunk as string))
  return reader.report()
}

describe('a stream of events', () => {
  test('the start and the last delta tell it', () => {
    expect(read('text/event-stream; charset=utf-8', [streamed])).toEqual(told)
  })

  test('cut anywhere, it is the same', () => {
    const bytes = Buffer.from(streamed)
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length]
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
        expect(read('text/event-stream', chunks)).toEqual(told)
      }),
    )
  })

  test('broken off after the start, the start counts', () => {
    expect(read('text/event-stream', [streamed.slice(0, streamed.indexOf('event: content'))])?.usage).toMatchObject({
      input: 12,
      output: 1,
    })
  })

  test('an endless line is not kept', () => {
    const endless = 'data: '.concat('x'.repeat(1_000_000))
    expect(read('text/event-stream', [endless, endless, '\n', streamed])).toEqual(told)
  })
})

test.for([
  [
    'a whole answer',
    JSON.stringify({ model: 'm', usage: { input_tokens: 2, output_tokens: 3 } }),
    { input: 2, output: 3 },
  ],
  ['a count of tokens', '{"input_tokens":14}', undefined],
  ['no JSON', '<html>', undefined],
  ['numbers that are none', '{"usage":{"input_tokens":"9","output_tokens":-1}}', { input: 0, output: 0 }],
  ['a list', '[]', undefined],
] as const)('a document: %s', ([, text, usage]) => {
  const found = read('application/json', [text.slice(0, 5), text.slice(5)])
  expect(found?.usage).toEqual(usage && { cacheRead: 0, cacheWrite: 0, ...usage })
})
