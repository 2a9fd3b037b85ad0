import type { Context } from 'hono'
import { OvernightError } from '../../errors.ts'
import { BodyTooLarge } from '../refuse.ts'

/** Up to here the connection's own buffer holds it anyway. */
const smallBytes = 64 * 1024
/** Large bodies are held in memory so many at a time; the others stay on their way until it is their turn. */
const largeAtOnce = 2
const largeWaiting = 50
/** GitHub gives up after 10 s, and so do others: who sends slower than this only holds a place. */
const ordinaryMs = 10_000

class TooSlow extends OvernightError {
  constructor(withinMs: number) {
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

/** What is `late` rejects after so long. */
async function within<T>(withinMs: number, act: (late: Promise<never>) => Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  late.promise.catch(() => {})
  const timer = setTimeout(() => late.reject(new TooSlow(withinMs)), withinMs)
  try {
    return await act(late.promise)
  } finally {
    clearTimeout(timer)
  }
}

/** Reads bodies as they came, byte by byte, in bounded memory and time. */
export function createBodyReader(maxBytes: number, withinMs = ordinaryMs): (c: Context) => Promise<Buffer> {
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
    if (told <= smallBytes)
      return within(withinMs, async (late) => Buffer.from(await Promise.race([c.req.arrayBuffer(), late])))
    return inTurn(() => within(withinMs, (late) => readStream(c.req.raw.body, { maxBytes, late })))
  }
}

type Limits = { maxBytes: number; late: Promise<never> }

async function readStream(body: ReadableStream<Uint8Array> | null, { maxBytes, late }: Limits): Promise<Buffer> {
  if (!body) return Buffer.alloc(0)
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  try {
    for (let size = 0; ;) {
      const { done, value } = await Promise.race([reader.read(), late])
      if (done) return Buffer.concat(chunks)
      size += value.length
      if (size > maxBytes) throw new BodyTooLarge(maxBytes / 1024)
      chunks.push(value)
    }
  } catch (error) {
    void reader.cancel().catch(() => {})
    throw error
  }
}
