import type { Context } from 'hono'
import { OvernightError } from '../../errors.ts'
import { BodyTooLarge } from '../refuse.ts'

/** Up to here the connection's own buffer holds it anyway. */
const smallBytes = 64 * 1024
/** Large bodies are held in memory so many at a time; the others stay on their way until it is their turn. */
const largeAtOnce = 2
const largeWaiting = 50
/** GitHub gives up after 10 s, and so do others: who sends slower than this only holds a place. */
const withinMs = 10_000

class TooSlow extends OvernightError {
  constructor() {
    super(`the body did not arrive within ${withinMs / 1000} s`, {
      code: 'too_slow',
      status: 408,
      hint: 'send it again',
    })
  }
}

class TooManyLarge extends OvernightError {
  constructor() {
    super('too many large events arrive at once', {
      code: 'overloaded',
      status: 503,
      retryable: true,
      hint: 'send it again later',
    })
  }
}

/** Reads bodies as they came, byte by byte, in bounded memory. */
export function createBodyReader(maxBytes: number): (c: Context) => Promise<Buffer> {
  const line: (() => void)[] = []
  const state = { reading: 0 }

  async function inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (state.reading >= largeAtOnce) {
      if (line.length >= largeWaiting) throw new TooManyLarge()
      await new Promise<void>((resolve) => line.push(resolve))
    }
    state.reading += 1
    try {
      return await act()
    } finally {
      state.reading -= 1
      line.shift()?.()
    }
  }

  return async (c) => {
    const told = Number(c.req.header('content-length') ?? Number.NaN)
    if (told > maxBytes) throw new BodyTooLarge(maxBytes / 1024)
    if (told <= smallBytes) return Buffer.from(await c.req.arrayBuffer())
    return inTurn(() => readStream(c.req.raw.body, maxBytes))
  }
}

async function readStream(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Buffer> {
  if (!body) return Buffer.alloc(0)
  const reader = body.getReader()
  const late = AbortSignal.timeout(withinMs)
  const cancel = () => void reader.cancel().catch(() => {})
  late.addEventListener('abort', cancel, { once: true })
  const chunks: Uint8Array[] = []
  try {
    for (let size = 0; ;) {
      const { done, value } = await reader.read()
      if (late.aborted) throw new TooSlow()
      if (done) return Buffer.concat(chunks)
      size += value.length
      if (size > maxBytes) throw new BodyTooLarge(maxBytes / 1024)
      chunks.push(value)
    }
  } finally {
    late.removeEventListener('abort', cancel)
  }
}
