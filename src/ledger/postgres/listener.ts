import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { messageOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { connectionOf, quiet } from './connections.ts'

/** `undefined`: the connection was lost and is back; what was said meanwhile is not known. */
type OnPayload = (payload: string | undefined) => void
type Listener = {
  /** Resolves when it hears; from then on nothing is missed without an `undefined`. */
  listen(channel: string, onPayload: OnPayload): Promise<() => Promise<void>>
  isConnected(): boolean
  close(): Promise<void>
}

type ListenerOptions = {
  databaseUrl: string
  log: Pick<Log, 'warn' | 'info'>
  /** The connection was lost and is there again. */
  onBack?: () => void
  /** A line that died without a word (a firewall that forgot it) is noticed by asking. Default 20 s. */
  askEveryMs?: number
}

const firstWaitMs = 50
const longestWaitMs = 5_000
const answerMs = 5_000

/**
 * NOTIFY reaches only the connection that said LISTEN, so it has one to itself, made anew whenever it is lost.
 * Rejects when the first connection cannot be made.
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { databaseUrl, log, onBack, askEveryMs = 20_000 } = options
  const channels = new Map<string, Set<OnPayload>>()
  const closing = new AbortController()
  const state = { client: undefined as pg.Client | undefined, again: Promise.resolve(), said: Promise.resolve() }

  async function connect(): Promise<void> {
    const client = quiet(new pg.Client({ ...connectionOf(databaseUrl), query_timeout: answerMs }))
    client.on('notification', ({ channel, payload }) => {
      for (const onPayload of channels.get(channel) ?? []) onPayload(payload)
    })
    client.on('end', () => lost(client))
    try {
      await client.connect()
      for (const channel of channels.keys()) await client.query(`listen ${client.escapeIdentifier(channel)}`)
    } catch (error) {
      void end(client)
      throw error
    }
    state.client = client
  }

  function lost(client: pg.Client): void {
    if (state.client !== client) return
    state.client = undefined
    if (closing.signal.aborted) return
    log.warn('the ledger’s notifications are interrupted; connecting again')
    state.again = reconnect().catch(() => {})
  }

  async function reconnect(): Promise<void> {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      await delay(waitMs, undefined, { signal: closing.signal })
      try {
        await connect()
        break
      } catch (error) {
        if (waitMs === longestWaitMs) log.warn({ error: messageOf(error) }, 'the ledger cannot be listened to yet')
      }
    }
    onBack?.()
    log.info('the ledger’s notifications are back')
    for (const all of channels.values()) for (const onPayload of all) onPayload(undefined)
  }

  /** One at a time; an answer that never comes means that the line is dead, and its end is made here. */
  function say(text: string): Promise<void> {
    state.said = state.said.then(async () => {
      const { client } = state
      await client?.query(text).catch(() => end(client))
    })
    return state.said
  }
  const asking = setInterval(() => void say('select 1'), askEveryMs).unref()

  await connect()
  return {
    async listen(channel, onPayload) {
      const known = channels.get(channel) ?? new Set()
      channels.set(channel, known.add(onPayload))
      // One that is lost meanwhile says all of them again when it is back.
      await say(`listen ${pg.escapeIdentifier(channel)}`)
      return async () => {
        known.delete(onPayload)
      }
    },
    isConnected: () => state.client !== undefined,
    async close() {
      clearInterval(asking)
      closing.abort()
      await state.again
      const { client } = state
      state.client = undefined
      if (client) await end(client)
    },
  }
}

/** A server that is gone never says goodbye, so it is not waited for longer than this. */
async function end(client: pg.Client): Promise<void> {
  const late = delay(1000, undefined, { ref: false })
  await Promise.race([client.end().catch(() => {}), late])
}
