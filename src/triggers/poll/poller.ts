import { createHash } from 'node:crypto'
import { logged, messageOf, OvernightError } from '../../errors.ts'
import type { NewDelivery } from '../../ledger/deliveries.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { PollRow } from '../../ledger/schema.ts'
import type { Log } from '../../log.ts'
import type { Answer, GuardedFetch } from '../../outgoing/guarded-fetch.ts'
import type { WebhookSource } from '../../routines/webhooks/source.ts'
import { pauseAfter, retryAfterMs } from './pause.ts'
import { readItems, type Asked } from './read-items.ts'

export type PollerTools = {
  ledger: Ledger
  sources(): Iterable<WebhookSource>
  /** For this address; throws what is missing, and what to do. */
  fillSecrets(text: string, url: string): Promise<string>
  fetch: GuardedFetch
  /** There are new deliveries. */
  received(): void
  log: Log
}
export type Poller = AsyncDisposable & {
  /** Begins the looks that are due; does not wait for their answers. */
  tick(): Promise<void>
  /** Resolves when no look is under way. */
  idle(): Promise<void>
}

/** Looks under way at the same time: sources that never answer hold up at most these. */
const atOnce = 8
/** Shorter than the shortest time between two looks of a source, so that two never overlap, in no process. */
const lookMs = 20_000
const mostBytes = 10 * 1024 * 1024

const isAsked = (source: WebhookSource): source is Asked => source.poll !== null

/** Another question is another source: what was seen and said under the old one is nothing to the new one. */
export function pollKey({ name, poll }: Pick<WebhookSource, 'name' | 'poll'>): string {
  const question = JSON.stringify([poll?.url, poll?.items, poll?.id])
  return `${name}@${createHash('sha256').update(question).digest('hex').slice(0, 12)}`
}

/** Asks the sources that tell nothing by themselves. Every server process may have one: a look belongs to who claimed it. */
export function createPoller({ ledger, sources, fillSecrets, fetch, received, log }: PollerTools): Poller {
  const stopped = new AbortController()
  const underWay = new Map<string, Promise<void>>()
  const known = new Map<string, number>()

  async function ask(source: Asked, row: PollRow): Promise<Answer> {
    const { url, headers: written } = source.poll
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'overnight' }
    for (const [name, value] of Object.entries(written)) headers[name.toLowerCase()] = await fillSecrets(value, url)
    if (row.etag !== null) headers['if-none-match'] = row.etag
    if (row.lastModified !== null) headers['if-modified-since'] = row.lastModified
    return fetch(url, { headers, redirects: 3, maxBytes: mostBytes, timeoutMs: lookMs, signal: stopped.signal })
  }

  async function look(source: Asked, row: PollRow): Promise<void> {
    const answer = await ask(source, row).catch((error: unknown) => ({ failed: whyOf(error) }))
    if (stopped.signal.aborted) return
    if ('failed' in answer) return fail(source, row, { why: answer.failed, afterMs: 0 })
    if (answer.status === 304) {
      const { etag, lastModified } = row
      return ledger.polls.done(row.source, { etag, lastModified, error: null })
    }
    const afterMs = retryAfterMs(answer.headers['retry-after'], new Date())
    if (answer.status !== 200) return fail(source, row, { why: `it answered ${answer.status}`, afterMs })
    const items = readItems(answer.body, source)
    if ('unreadable' in items) return fail(source, row, { why: items.unreadable, afterMs })
    const marks = { etag: markOf(answer.headers.etag), lastModified: markOf(answer.headers['last-modified']) }
    // One transaction: were the first look remembered without its items, they would be news at the next.
    await ledger.transaction(async (tx) => {
      const rows = row.hasBaseline ? items.rows : items.rows.map((item) => ({ ...item, ...wasThere }))
      for (const some of inStatements(rows)) await tx.deliveries.receiveAll(some)
      await tx.polls.done(row.source, { ...marks, error: items.note })
    })
    if (row.failures > 0) log.info({ source: source.name }, 'the source answers again')
    if (row.hasBaseline && items.rows.length > 0) received()
  }

  async function fail({ name, poll }: Asked, row: PollRow, { why, afterMs }: { why: string; afterMs: number }) {
    if (row.error !== why)
      log.warn({ source: name, error: why }, 'the source could not be looked at; it is tried again')
    await ledger.polls.failed(row.source, why, pauseAfter(row.failures + 1, poll.everyMs, afterMs))
  }

  function start(source: Asked, row: PollRow): void {
    const looking = look(source, row)
      // The ledger is away: the row says when the next look is.
      .catch((error: unknown) => log.warn({ source: source.name, ...logged(error) }, 'a look is not on record'))
      .finally(() => underWay.delete(row.source))
    underWay.set(row.source, looking)
  }

  async function ensure(asked: ReadonlyMap<string, Asked>): Promise<void> {
    for (const [key, { poll }] of asked) {
      if (known.get(key) === poll.everyMs) continue
      await ledger.polls.ensure(key, poll.everyMs)
      known.set(key, poll.everyMs)
    }
  }

  return {
    async tick() {
      const asked = new Map([...sources()].filter(isAsked).map((source) => [pollKey(source), source]))
      if (asked.size === 0) return
      await ensure(asked)
      const due = await ledger.polls.due([...asked.keys()].filter((key) => !underWay.has(key)))
      for (const key of due.slice(0, Math.max(0, atOnce - underWay.size))) {
        const source = asked.get(key)
        const row = source && !stopped.signal.aborted ? await ledger.polls.claim(key, source.poll.everyMs) : undefined
        if (source && row) start(source, row)
      }
    },
    async idle() {
      await Promise.all(underWay.values())
    },
    async [Symbol.asyncDispose]() {
      stopped.abort()
      await Promise.all(underWay.values())
    },
  }
}

/** With what to do: whoever looks at the sources is the one who can do it. */
function whyOf(error: unknown): string {
  const hint = error instanceof OvernightError ? error.hint : undefined
  return hint === undefined ? messageOf(error) : `${messageOf(error)} – ${hint}`
}

/** What one statement carries: more of it would hold up everybody else. */
const together = { rows: 200, bytes: 2 * 1024 * 1024 }

function* inStatements(rows: readonly NewDelivery[]): Generator<NewDelivery[]> {
  let batch: NewDelivery[] = []
  let bytes = 0
  for (const row of rows) {
    if (batch.length === together.rows || (batch.length > 0 && bytes + row.body.length > together.bytes)) {
      yield batch
      ;[batch, bytes] = [[], 0]
    }
    batch.push(row)
    bytes += row.body.length
  }
  if (batch.length > 0) yield batch
}

/** Whoever sets up a source wants to hear what comes, not all there ever was. */
const wasThere = {
  outcome: 'skipped' as const,
  reason: 'it was there when the source was looked at for the first time',
}

/** Sent back as it came, so nothing but what a header may hold. */
function markOf(written: string | undefined): string | null {
  return written !== undefined && /^[\x20-\x7e]{1,300}$/.test(written) ? written : null
}
