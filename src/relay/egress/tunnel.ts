import type { Duplex } from 'node:stream'
import type { Bytes } from '../journal.ts'
import { readGreeting, type Greeting } from './client-hello.ts'

/** The first words of a client, or undefined when it left or said too little in time. They are held back until they are judged. */
export function hearGreeting(
  client: Duplex,
  { head, patienceMs }: { head: Buffer; patienceMs: number },
): Promise<{ bytes: Buffer; greeting: Exclude<Greeting, 'more'> } | undefined> {
  return new Promise((resolve) => {
    let bytes = head
    const settle = (heard: { bytes: Buffer; greeting: Exclude<Greeting, 'more'> } | undefined) => {
      clearTimeout(timer)
      client.pause()
      client.off('data', hear).off('end', leave).off('close', leave)
      resolve(heard)
    }
    const leave = () => settle(undefined)
    const hear = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      const greeting = readGreeting(bytes)
      if (greeting !== 'more') settle({ bytes, greeting })
    }
    const timer = setTimeout(leave, patienceMs)
    client.on('end', leave).on('close', leave)
    client.on('data', hear)
    hear(Buffer.alloc(0))
  })
}

export type TunnelOptions = {
  client: Duplex
  outside: Duplex
  /** What the client said before. */
  first: Buffer
  /** Neither side said anything for so long. */
  idleMs: number
  /** Told each time; false ends the tunnel. */
  passed(bytes: number): boolean
}
export type Tunnel = { end(): void; ended: Promise<Bytes> }

/** Both sides joined until both are done, one breaks off, or nobody says anything. */
export function openTunnel({ client, outside, first, idleMs, passed }: TunnelOptions): Tunnel {
  const bytes: Bytes = { sent: 0, received: 0 }
  const state = { over: false, open: 2 }
  const { promise: ended, resolve } = Promise.withResolvers<Bytes>()
  const idle = setTimeout(end, idleMs)

  function end(): void {
    if (state.over) return
    state.over = true
    clearTimeout(idle)
    client.destroy()
    outside.destroy()
    resolve(bytes)
  }
  function count(side: keyof Bytes, length: number): void {
    bytes[side] += length
    idle.refresh()
    if (!passed(length)) end()
  }
  // A side that is done says so by its end and may still listen; one that breaks off takes the other with it.
  for (const side of [client, outside]) {
    side.on('error', end)
    side.once('close', () => (--state.open === 0 || side.errored ? end() : undefined))
  }
  client.on('data', (chunk: Buffer) => count('sent', chunk.length))
  outside.on('data', (chunk: Buffer) => count('received', chunk.length))
  outside.write(first)
  count('sent', first.length)
  if (!state.over) client.pipe(outside).pipe(client)
  return { end, ended }
}
