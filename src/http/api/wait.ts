import { z } from 'zod'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Run } from '../../ledger/schema.ts'
import { isEnded } from '../../runs/states.ts'
import type { Face } from '../face.ts'

/** Below the five minutes after which common clients give up on an answer. */
const longestSeconds = 240

export const waitKey = {
  wait: z.coerce
    .number()
    .int()
    .min(0)
    .max(longestSeconds)
    .optional()
    .describe(
      `Seconds the answer may wait for the end of the run: 200 once it has ended, 202 when it has not; at most ${longestSeconds}.`,
    ),
}

type Waiting = Pick<Face, 'news'> & { ledger: { runs: Pick<Ledger['runs'], 'find'> } }

/** The run as it is at its end, or after so many seconds. Costs one reading for each change of its state, and none in between. */
export async function waitForEnd(
  face: Waiting,
  run: string,
  { seconds, signal }: { seconds: number; signal: AbortSignal },
): Promise<Run | undefined> {
  const until = performance.now() + seconds * 1000
  for (;;) {
    const leftMs = until - performance.now()
    // Ask for news before reading, so that what comes while we read wakes us.
    const read = new AbortController()
    const heard = AbortSignal.any([signal, read.signal])
    const news = face.news.next(run, { timeoutMs: Math.max(0, leftMs), signal: heard, only: 'state' })
    try {
      const now = await face.ledger.runs.find(run)
      if (now === undefined || isEnded(now.state) || leftMs <= 0 || signal.aborted) return now
      await news
    } finally {
      read.abort()
    }
  }
}
