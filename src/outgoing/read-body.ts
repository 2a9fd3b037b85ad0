import type { IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

/** Over the cap, or in an encoding that we never asked for. */
export class UnreadableBody extends Error {}

const decoders: Record<string, () => Transform> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/** The whole body, unpacked. The cap holds before and after unpacking, while reading, so that no bomb ever unfolds. */
export async function readBody(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(answer.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const encoding = (answer.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding === 'identity' || encoding === '') return collect(capped(answer, maxBytes))
  const decoder = Object.hasOwn(decoders, encoding) ? decoders[encoding]?.() : undefined
  if (!decoder) throw new UnreadableBody('the answer is packed in a way that was not asked for')
  return pipeline(
    answer,
    (packed: AsyncIterable<Buffer>) => capped(packed, maxBytes),
    decoder,
    (plain: AsyncIterable<Buffer>) => collect(capped(plain, maxBytes)),
  )
}

async function* capped(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge(maxBytes)
    yield chunk
  }
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(chunks))
}

function tooLarge(maxBytes: number): UnreadableBody {
  const size = maxBytes >= 1024 ** 2 ? `${maxBytes / 1024 ** 2} MB` : `${maxBytes / 1024} KB`
  return new UnreadableBody(`the answer is larger than ${size}`)
}
