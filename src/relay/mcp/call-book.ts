import { shown } from '../egress/authority.ts'

/** What an agent did with its connectors, told as lines of the timeline. */
export type CallBook = {
  called(connector: string, tool: string): void
  /** The first of its kind is told at once, the others are counted. */
  refused(connector: string, what: string): void
  failed(connector: string, why: string): void
  /** Tells what was counted: a line a connector. */
  close(): void
}

/** An agent that tries every name there is must not fill the timeline. */
const mostNamed = 20

type Page = { called: Map<string, number>; refused: Map<string, number>; failed: Map<string, number> }

export function createCallBook(tell: (text: string) => void): CallBook {
  const pages = new Map<string, Page>()
  const say = (connector: string, text: string) => tell(`connector ${connector}: ${text}`)

  /** Answers whether that is new, and there is room to say so. */
  function count(connector: string, kind: keyof Page, what: string): boolean {
    const page = pages.get(connector) ?? { called: new Map(), refused: new Map(), failed: new Map() }
    pages.set(connector, page)
    const counts = page[kind]
    const name = counts.has(what) || counts.size < mostNamed ? what : 'others'
    counts.set(name, (counts.get(name) ?? 0) + 1)
    return counts.get(name) === 1 && name === what
  }

  return {
    called: (connector, tool) => void count(connector, 'called', shown(tool)),
    refused(connector, what) {
      if (count(connector, 'refused', shown(what)))
        say(connector, `refused ${shown(what)}: it is not allowed in this run`)
    },
    failed(connector, why) {
      if (count(connector, 'failed', why)) say(connector, why)
    },
    close() {
      for (const [connector, { called, refused, failed }] of pages) {
        const parts = [
          ...spoken(called),
          ...spoken(refused).map((one) => `refused ${one}`),
          ...[...failed]
            .filter(([, times]) => times > 1)
            .map(([why, times]) => `${why} (${number(times)} times in all)`),
        ]
        if (parts.length > 0) say(connector, parts.join(', '))
      }
      pages.clear()
    },
  }
}

const number = (count: number) => count.toLocaleString('en')

function spoken(counts: ReadonlyMap<string, number>): string[] {
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([what, times]) => `${what} ×${number(times)}`)
}
