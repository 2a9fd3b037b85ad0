import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'

/** A line between a client and a server on this machine that fails as lines do. */
export type LooseWire = Disposable & {
  port: number
  /** Lines that are open now hear nothing more, and nobody says that they are dead; new ones are sound. */
  mute(): void
  /** The next message to the server that holds this text arrives and is answered, and the line breaks before the answer. */
  loseAnswerTo(text: string): Promise<void>
}

export async function openLooseWire(serverPort: number): Promise<LooseWire> {
  const state = { awaited: undefined as { text: string; lost: () => void } | undefined }
  const lines = new Set<{ client: Socket; server: Socket; muted: boolean }>()
  const wire = createServer((client) => {
    const server = createConnection(serverPort, '127.0.0.1')
    const line = { client, server, muted: false, onAnswer: undefined as (() => void) | undefined }
    lines.add(line)
    const end = () => {
      lines.delete(line)
      client.destroy()
      server.destroy()
    }
    client.on('data', (data: Buffer) => {
      const { awaited } = state
      if (awaited && data.includes(awaited.text)) {
        state.awaited = undefined
        line.onAnswer = awaited.lost
      }
      if (!line.muted) server.write(data)
    })
    server.on('data', (data: Buffer) => {
      if (line.onAnswer) {
        end()
        line.onAnswer()
      } else if (!line.muted) client.write(data)
    })
    for (const socket of [client, server]) socket.on('error', end).on('close', end)
  }).listen(0, '127.0.0.1')
  await once(wire, 'listening')
  return {
    port: (wire.address() as AddressInfo).port,
    mute() {
      for (const line of lines) line.muted = true
    },
    loseAnswerTo: (text) =>
      new Promise((resolve) => {
        state.awaited = { text, lost: resolve }
      }),
    [Symbol.dispose]() {
      wire.close()
      for (const { client, server } of lines) {
        client.destroy()
        server.destroy()
      }
    },
  }
}
