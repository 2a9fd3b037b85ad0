import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as delay } from 'node:timers/promises'

/** Upper limit of one piece, in bytes of UTF-8. */
export const pieceBytes = 16 * 1024
/** How long the beginning of a line waits for its end: a progress display must be seen while it moves. */
const partialLineMs = 200

/**
 * A byte stream as text, in pieces of at most `pieceBytes`: whole lines where they fit, the beginning of a line when its end
 * does not come. Invalid UTF-8 becomes U+FFFD. Reads on only when the piece was taken. A stream that breaks has ended.
 */
export async function* readText(stream: Readable): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const nextChunk = () => chunks.next().catch(() => ({ done: true as const, value: undefined }))
  let held = ''
  let heldUntil = 0
  for (let next = nextChunk(); ;) {
    const arrived = held === '' ? await next : await within(next, heldUntil - performance.now())
    if (arrived === 'late') {
      yield held
      held = ''
      continue
    }
    if (arrived.done) break
    const { pieces, rest } = cut(held + decoder.write(arrived.value))
    if (held === '' || pieces.length > 0) heldUntil = performance.now() + partialLineMs
    yield* pieces
    held = rest
    next = nextChunk()
  }
  const { pieces, rest } = cut(held + decoder.end())
  yield* pieces
  if (rest !== '') yield rest
}

async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | 'late'> {
  const timer = new AbortController()
  const late = delay(Math.max(0, milliseconds), 'late' as const, { signal: timer.signal }).catch(() => 'late' as const)
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
  }
}

/** Pieces that are complete: they end with a line, or are full. `rest` is the beginning of a line that may still grow. */
function cut(text: string): { pieces: string[]; rest: string } {
  const bytes = Buffer.from(text)
  const pieces: string[] = []
  let start = 0
  const take = (end: number) => {
    pieces.push(bytes.toString('utf8', start, end))
    start = end
  }
  while (bytes.length - start > pieceBytes) take(start + lengthOfPiece(bytes.subarray(start, start + pieceBytes + 1)))
  const lineEnd = bytes.lastIndexOf(10) + 1
  if (lineEnd > start) take(lineEnd)
  return { pieces, rest: bytes.toString('utf8', start) }
}

/** Up to the last line end that fits, else up to the last whole character. `bytes` is one longer than a piece. */
function lengthOfPiece(bytes: Buffer): number {
  const lineEnd = bytes.lastIndexOf(10, pieceBytes - 1) + 1
  if (lineEnd > 0) return lineEnd
  let end = pieceBytes
  // Bytes 10xxxxxx continue a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return end
}
