import { OvernightError } from '../errors.ts'
import type { NewDelivery, Received } from '../ledger/deliveries.ts'
import type { Ledger } from '../ledger/ledger.ts'

/** What waits is in memory only and not accepted yet: bounded, so that a flood is told to come again. */
const mostBytes = 64 * 1024 * 1024
/** One statement writes so much, when so much waits: rows share the price of being put on disk. */
const mostTogether = { rows: 40, bytes: 4 * 1024 * 1024 }

export type Receiver = {
  /** Resolves when it is on disk; `fresh` is false for one that was received before. Throws Overloaded. */
  receive(row: NewDelivery): Promise<Received>
  /** Is something under way? */
  isBusy(): boolean
}

class Overloaded extends OvernightError {
  constructor() {
    super('more events arrive than can be written down', {
      code: 'overloaded',
      status: 503,
      retryable: true,
      hint: 'send it again later; with DATABASE_URL (PostgreSQL) more is taken in a second',
    })
  }
}

export type ReceiveTools = {
  ledger: Pick<Ledger, 'deliveries'>
  /** Statements under way at the same time. */
  atOnce: number
  /** More than these would wait for longer than a sender waits. */
  mostWaiting: number
  /** Something of these sources was written down. */
  received(sources: readonly string[]): void
}
type Waiting = { row: NewDelivery } & PromiseWithResolvers<Received>

/** The way of events into the ledger: each is written at once, or, while others are being written, together with those that wait, too. */
export function createReceiver({ ledger, atOnce, mostWaiting, received }: ReceiveTools): Receiver {
  const state = { waiting: [] as Waiting[], bytes: 0, writing: 0 }

  function next(): Waiting[] {
    let bytes = 0
    const fitting = state.waiting.slice(0, mostTogether.rows).findIndex(({ row }, index) => {
      bytes += row.body.length
      return index > 0 && bytes > mostTogether.bytes
    })
    const taken = state.waiting.splice(0, fitting === -1 ? mostTogether.rows : fitting)
    for (const { row } of taken) state.bytes -= row.body.length
    return taken
  }

  async function write(): Promise<void> {
    state.writing += 1
    for (let batch = next(); batch.length > 0; batch = next()) {
      try {
        const written = await ledger.deliveries.receiveAll(batch.map(({ row }) => row))
        for (const [index, { resolve }] of batch.entries()) resolve(written[index]!)
        received(batch.map(({ row }) => row.source))
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    state.writing -= 1
  }

  return {
    isBusy: () => state.writing > 0,
    receive(row) {
      if (state.waiting.length >= mostWaiting || state.bytes + row.body.length > mostBytes)
        return Promise.reject(new Overloaded())
      const mine: Waiting = { row, ...Promise.withResolvers<Received>() }
      state.waiting.push(mine)
      state.bytes += row.body.length
      if (state.writing < atOnce) void write()
      return mine.promise
    },
  }
}
