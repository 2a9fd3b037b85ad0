/** What a run reached and what it was refused, told as lines of its timeline. */
export type Journal = {
  /** The first of its kind is told at once, the others are counted. `what` is fit to be read. */
  refused(what: string, why: string): void
  /** Counted, and told at the end. */
  reached(host: string, bytes: Bytes): void
  /** Tells what was counted. */
  close(): void
}
export type Bytes = { sent: number; received: number }

/** An agent that tries every host there is must not fill the timeline. */
const mostTold = 20
const mostNamed = 1000

type Count = Bytes & { connections: number }

export function createJournal(tell: (text: string) => void): Journal {
  const refusals = new Map<string, number>()
  const hosts = new Map<string, Count>()
  const others = { refusals: 0 }
  const state = { closed: false }
  const say = (text: string) => tell(`network: ${text}`)

  function tellRefusals(): void {
    for (const [text, times] of refusals) if (times > 1) say(`${text} (${times.toLocaleString('en')} times in all)`)
    if (others.refusals > 0) say(`${others.refusals.toLocaleString('en')} more refusals, of others`)
  }
  function tellHosts(): void {
    const most = [...hosts].toSorted(([, a], [, b]) => b.received + b.sent - a.received - a.sent)
    for (const [host, count] of most.slice(0, mostTold)) say(`${host}, ${spoken(count)}`)
    const rest = most.slice(mostTold).map(([, count]) => count)
    if (rest.length > 0) say(`${rest.length} more hosts, ${spoken(rest.reduce(added))}`)
  }

  return {
    refused(what, why) {
      const text = `refused ${what}: it ${why}`
      const times = refusals.get(text)
      if (times === undefined && refusals.size >= mostTold) return void (others.refusals += 1)
      refusals.set(text, (times ?? 0) + 1)
      if (times === undefined) say(text)
    },
    reached(host, bytes) {
      const name = hosts.has(host) || hosts.size < mostNamed ? host : 'others'
      hosts.set(name, added(hosts.get(name) ?? nothing, { ...bytes, connections: 1 }))
    },
    close() {
      if (state.closed) return
      state.closed = true
      tellHosts()
      tellRefusals()
    },
  }
}

const nothing: Count = { sent: 0, received: 0, connections: 0 }
const added = (a: Count, b: Count): Count => ({
  sent: a.sent + b.sent,
  received: a.received + b.received,
  connections: a.connections + b.connections,
})

function spoken({ connections, sent, received }: Count): string {
  const times = connections === 1 ? 'one connection' : `${connections} connections`
  return `${times}, ${size(received)} received, ${size(sent)} sent`
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}
