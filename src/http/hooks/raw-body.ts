import type { Context } from 'hono'
import { OvernightError } from '../../errors.ts'
import { BodyTooLarge } from '../refuse.ts'
import { createHeldBytes, type HeldBody } from './held-bytes.ts'

/** Up to here the connection's own buffer holds it anyway. */
const smallBytes = 64 * 1024
/** Of larger ones so much is held in memory in all; the rest stays on its way. */
const heldAtOnce = 64 * 1024 * 1024
/** Who sends less than `bytes` in `ms` is waited for no longer: much less than any line of today, and the whole is due in 10 s anyway. */
const slowest = { bytes: 128 * 1024, ms: 2_000 }
/** GitHub gives up after 10 s, and so do others: what waits for room has no longer, either. */
const ordinaryMs = 10_000

class TooSlow extends OvernightError {
  constructor(what: string) {
    super(`the body ${what}`, { code: 'too_slow', status: 408, hint: 'send it again' })
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

/** `late` rejects after so long, with what `why` says then. */
async function within<T>(withinMs: number, why: () => Error, act: (late: Late) => Promise<T>): Promise<T> {
  const late: Late = Promise.withResolvers<never>()
  late.promise.catch(() => {})
  const timer = setTimeout(() => late.reject(why()), withinMs)
  try {
    return await act(late)
  } finally {
    clearTimeout(timer)
  }
}
type Late = PromiseWithResolvers<never>

type Bounds = { withinMs?: number; heldBytes?: number; quietMs?: number }

/** Reads bodies as they came, byte by byte, in bounded memory and time. */
export function createBodyReader(maxBytes: number, bounds: Bounds = {}): (c: Context) => Promise<Buffer> {
  const { withinMs = ordinaryMs, heldBytes = heldAtOnce, quietMs = slowest.ms } = bounds
  const held = createHeldBytes(heldBytes)
  const tooSlow = () => new TooSlow(`did not arrive within ${withinMs / 1000} s`)

  return async (c) => {
    const told = Number(c.req.header('content-length') ?? Number.NaN)
    if (told > maxBytes) throw new BodyTooLarge(maxBytes / 1024)
    if (told <= smallBytes)
      return within(withinMs, tooSlow, async (late) =>
        Buffer.from(await Promise.race([c.req.arrayBuffer(), late.promise])),
      )
    using mine = held.begin()
    const why = () => (mine.hasWaited() ? new TooManyLarge() : tooSlow())
    return await within(withinMs, why, (late) => readStream(c.req.raw.body, { maxBytes, quietMs, late, mine }))
  }
}

type Limits = { maxBytes: number; quietMs: number; late: Late; mine: HeldBody }

async function readStream(
  body: ReadableStream<Uint8Array> | null,
  { maxBytes, quietMs, late, mine }: Limits,
): Promise<Buffer> {
  if (!body) return Buffer.alloc(0)
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  // That there is no room is not the sender's fault.
  const pace = setTimeout(() => mine.isWaiting() || late.reject(new TooSlow('comes too slowly')), quietMs)
  try {
    for (let [size, paced] = [0, 0]; ;) {
      const { done, value } = await Promise.race([reader.read(), late.promise])
      if (done) return Buffer.concat(chunks)
      size += value.length
      if (size > maxBytes) throw new BodyTooLarge(maxBytes / 1024)
      await Promise.race([mine.take(value.length), late.promise])
      chunks.push(value)
      if (size - paced < slowest.bytes) continue
      paced = size
      pace.refresh()
    }
  } catch (error) {
    void reader.cancel().catch(() => {})
    throw error
  } finally {
    clearTimeout(pace)
  }
}
