/** Tokens of a model, as its provider counts them: `input` is what was neither read from a cache nor written to one. */
export type Usage = { input: number; output: number; cacheRead: number; cacheWrite: number }
export type UsageReport = { model: string; usage: Usage }

const noUsage: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }

export type UsageReader = {
  read(chunk: Buffer): void
  /** What the answer said by now; undefined when it said nothing (an error, a count of tokens). */
  report(): UsageReport | undefined
}

/** Longer ones hold no usage: it is an event of a few hundred bytes. */
const longestLine = 256 * 1024
const longestDocument = 16 * 1024 * 1024
const names = {
  input: 'input_tokens',
  output: 'output_tokens',
  cacheRead: 'cache_read_input_tokens',
  cacheWrite: 'cache_creation_input_tokens',
} as const

/** Reads along while an answer passes by: a stream of events (`message_start` and `message_delta` tell it), or one document. */
export function createUsageReader(contentType: string): UsageReader {
  const found: { model: string | undefined; usage: Usage | undefined } = { model: undefined, usage: undefined }
  /** Each report is the total of its message so far; a later one may leave fields out. */
  function take(told: unknown): void {
    if (!isRecord(told)) return
    const message = isRecord(told['message']) ? told['message'] : told
    if (typeof message['model'] === 'string') found.model = message['model']
    const usage = isRecord(told['usage']) ? told['usage'] : message['usage']
    if (isRecord(usage)) found.usage = merged(found.usage ?? noUsage, usage)
  }
  const { read, end } = contentType.includes('event-stream') ? readLines(take) : readDocument(take)
  return {
    read,
    report() {
      end()
      return found.usage && { model: found.model ?? 'unknown', usage: found.usage }
    },
  }
}

type Take = (told: unknown) => void
type Reading = { read(chunk: Buffer): void; end(): void }

function readLines(take: Take): Reading {
  let held = ''
  let skipping = false
  return {
    read(chunk) {
      // Names and numbers of these events are ASCII, so a character cut in two elsewhere does no harm.
      const lines = (held + chunk.toString('latin1')).split('\n')
      held = lines.pop() ?? ''
      for (const line of lines) {
        if (!skipping && line.startsWith('data:') && line.includes('"usage"')) take(parsed(line.slice(5)))
        skipping = false
      }
      if (held.length > longestLine) [held, skipping] = ['', true]
    },
    end: () => undefined,
  }
}

function readDocument(take: Take): Reading {
  let chunks: Buffer[] = []
  let bytes = 0
  return {
    read(chunk) {
      bytes += chunk.length
      if (bytes <= longestDocument) chunks.push(chunk)
      else chunks = []
    },
    end: () => take(parsed(Buffer.concat(chunks).toString('utf8'))),
  }
}

function merged(before: Usage, told: Record<string, unknown>): Usage {
  const value = (name: keyof Usage) => {
    const number = told[names[name]]
    return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : before[name]
  }
  return {
    input: value('input'),
    output: value('output'),
    cacheRead: value('cacheRead'),
    cacheWrite: value('cacheWrite'),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
