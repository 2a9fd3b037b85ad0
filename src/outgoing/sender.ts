import { logged, messageOf } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { OutboxRow } from '../ledger/schema.ts'
import type { Log } from '../log.ts'
import { afterTry, type Tried } from './after-try.ts'
import type { GuardedFetch } from './guarded-fetch.ts'
import { sign } from './sign.ts'

/** Addresses that are posted to at the same time, each one message after the other: one that never answers holds up no other. */
const addressesAtOnce = 16
const eachAtOnce = 16
const answerMs = 15_000
/** No further message of a few taken together is begun after this long. */
const togetherMs = 20_000
/** Longer than all that can take; after it the process that took the messages is taken for dead. */
const holdMs = 45_000

export type SenderTools = {
  outbox: Pick<Ledger['outbox'], 'take' | 'sent' | 'later' | 'untried' | 'giveUp'>
  post: GuardedFetch
  /** Asked for each message, so that it is made only when needed and changed without a restart. */
  secrets(): Promise<readonly string[]>
  /** What this process sends. */
  kinds: readonly OutboxRow['kind'][]
  log: Log
}
export type Sender = AsyncDisposable & {
  /** Takes what is due by now; many calls while it looks are one more look. Rejects when the ledger does. */
  sweep(): Promise<void>
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

/** Sends what the outbox owes, at least once: every process of a ledger may have one. */
export function createSender({ outbox, post, secrets, kinds, log }: SenderTools): Sender {
  const stopped = new AbortController()
  const underWay = new Map<string, Promise<void>>()
  const state = { looking: undefined as Promise<void> | undefined, again: false }

  async function attempt(row: OutboxRow): Promise<Tried> {
    const payload = JSON.stringify({ type: row.kind, timestamp: row.createdAt.toISOString(), data: row.body })
    const signed = sign(await secrets(), { id: row.id, at: new Date(), payload })
    const headers = { 'content-type': 'application/json', 'user-agent': 'overnight', ...signed }
    const ask = { method: 'POST' as const, headers, body: payload, timeoutMs: answerMs, signal: stopped.signal }
    const { status, headers: said } = await post(row.url, ask)
    return { status, retryAfter: said['retry-after'] }
  }
  /** False when there was no answer at all: the next one would not get any either. */
  async function send(row: OutboxRow): Promise<boolean> {
    const tried = await attempt(row).catch((error: unknown): Tried => ({ failed: messageOf(error) }))
    const isAnswered = 'status' in tried
    if (stopped.signal.aborted && !isAnswered) await outbox.untried(row.id)
    else await record(row, tried)
    return isAnswered
  }
  async function record(row: OutboxRow, tried: Tried): Promise<void> {
    const next = afterTry(tried, { tries: row.tries, chance: Math.random(), now: new Date() })
    if (next.act === 'sent') return outbox.sent(row.id)
    // Not the whole address: its path is often all that keeps strangers out.
    log.warn(
      { message: row.id, to: originOf(row.url), tries: row.tries, next: next.act, error: next.error },
      'not taken',
    )
    return next.act === 'later' ? outbox.later(row.id, next) : outbox.giveUp(row.id, next.error)
  }
  async function sendInTurn(rows: readonly OutboxRow[]): Promise<void> {
    const began = performance.now()
    let goesOn = true
    for (const row of rows) {
      const isDue = goesOn && !stopped.signal.aborted && performance.now() - began < togetherMs
      if (isDue) goesOn = await send(row)
      else await outbox.untried(row.id)
    }
  }
  function start(origin: string, rows: readonly OutboxRow[]): void {
    const sending = sendInTurn(rows)
      // Their time runs out, and they are sent again.
      .catch((error: unknown) => log.warn({ to: origin, ...logged(error) }, 'what became of messages is not on record'))
      .finally(() => underWay.delete(origin))
      .then(() => sweep())
      .catch(() => {})
    underWay.set(origin, sending)
  }
  async function look(): Promise<void> {
    const addresses = addressesAtOnce - underWay.size
    if (addresses <= 0 || stopped.signal.aborted) return
    const rows = await outbox.take({ addresses, each: eachAtOnce, holdMs, kinds, besides: [...underWay.keys()] })
    for (const [origin, few] of Map.groupBy(rows, (row) => originOf(row.url))) start(origin, few)
    if (rows.length > 0) state.again = true
  }
  async function lookUntilQuiet(): Promise<void> {
    try {
      do {
        state.again = false
        await look()
      } while (state.again)
    } finally {
      state.looking = undefined
    }
  }
  function sweep(): Promise<void> {
    if (state.looking) state.again = true
    state.looking ??= lookUntilQuiet()
    return state.looking
  }
  async function idle(): Promise<void> {
    await state.looking?.catch(() => {})
    while (underWay.size > 0) await Promise.all(underWay.values())
  }

  return {
    sweep,
    idle,
    async [Symbol.asyncDispose]() {
      stopped.abort()
      await idle()
    },
  }
}

/** As the ledger tells addresses apart. */
const originOf = (url: string) => /^[a-z]+:\/\/[^/?#]*/.exec(url)?.[0] ?? url
