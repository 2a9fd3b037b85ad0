/** What was sent, as the map that conditions and prompts look into. */
export type ReadEvent = {
  event: Record<string, unknown>
  /** The body is that map already, byte for byte. */
  isAsSent: boolean
  /** Its id is one only together with its source. */
  isCloudEvent: boolean
}
export type Unreadable = { unreadable: string; status: 400 | 415 }
type Sent = { headers: Readonly<Record<string, string>>; body: Buffer }

/** Deeper than anything that is meant; who walks through it later may do so by calling itself. */
const maxDepth = 200

/**
 * JSON, a form (its `payload`, or its fields) or text. What is no map stands under `body`. A CloudEvent is its envelope with
 * `data` inside, whether it came in one piece or in headers (https://github.com/cloudevents/spec, HTTP binding 3.1 and 3.2).
 */
export function readEvent({ headers, body }: Sent): ReadEvent | Unreadable {
  const type = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
  const encoding = (headers['content-encoding'] ?? 'identity').toLowerCase()
  if (encoding !== 'identity') return { unreadable: 'a body that is packed is not taken', status: 415 }
  if (type === 'application/cloudevents-batch+json')
    return { unreadable: 'a batch of CloudEvents is not taken: send them one by one', status: 415 }
  const read = readBody(body, type)
  if ('unreadable' in read) return { ...read, status: 400 }
  const { value, isJson } = read
  const attributes = cloudAttributes(headers)
  if (attributes) return { event: { ...attributes, data: value }, isAsSent: false, isCloudEvent: true }
  if (!isMap(value)) return { event: { body: value }, isAsSent: false, isCloudEvent: false }
  return { event: value, isAsSent: isJson && body[0] !== 0xef, isCloudEvent: type === 'application/cloudevents+json' }
}

type ReadBody = { value: unknown; isJson: boolean } | { unreadable: string }

function readBody(body: Buffer, type: string): ReadBody {
  const text = textOf(body)
  if (text === undefined) return { unreadable: 'it is no UTF-8 text' }
  if (type === 'application/x-www-form-urlencoded') return { value: readForm(text), isJson: false }
  const mustBeJson = /^(application|text)\/([\w.-]+\+)?json$/.test(type)
  // Some senders say nothing, or something else, and send JSON all the same.
  if (!mustBeJson && !/^\s*[{[]/.test(text)) return { value: text, isJson: false }
  const parsed = parseJson(text)
  if ('value' in parsed) return { value: parsed.value, isJson: true }
  return mustBeJson || parsed.unreadable === tooDeep ? parsed : { value: text, isJson: false }
}

const tooDeep = `it is nested more than ${maxDepth} deep`

/** JSON of a bounded depth. */
export function parseJson(text: string): { value: unknown } | { unreadable: string } {
  if (depthOf(text) > maxDepth) return { unreadable: tooDeep }
  try {
    return { value: JSON.parse(text) }
  } catch {
    return { unreadable: 'it is not JSON' }
  }
}

/** How deep JSON is nested: without reading it, without calling itself, and each character once, whatever the text is. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at++) {
    const mark = text[at]
    if (mark === '"') at = endOfString(text, at)
    else if (mark === '[' || mark === '{') deepest = Math.max(deepest, ++depth)
    else if (mark === ']' || mark === '}') depth -= 1
  }
  return deepest
}

/** Where its closing quote is; the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

/** UTF-8, without a byte order mark; undefined = it is something else. */
export function textOf(body: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return undefined
  }
}

/** Slack and GitHub put JSON into one field of a form; Slack's commands are plain fields. */
function readForm(text: string): unknown {
  const fields = new URLSearchParams(text)
  const inside = parseJson(fields.get('payload') ?? '')
  if ('value' in inside && isMap(inside.value)) return inside.value
  const names = [...new Set(fields.keys())]
  return Object.fromEntries(
    names.map((name) => {
      const values = fields.getAll(name)
      return [name, values.length === 1 ? values[0] : values]
    }),
  )
}

function cloudAttributes(headers: Sent['headers']): Record<string, string> | undefined {
  if (headers['ce-specversion'] === undefined || headers['ce-id'] === undefined) return undefined
  const named = Object.entries(headers).filter(([name]) => /^ce-[a-z0-9]{1,40}$/.test(name))
  return Object.fromEntries(named.map(([name, value]) => [name.slice('ce-'.length), decoded(value)]))
}

/** Attributes are percent-encoded in headers (HTTP binding, 3.1.3.2). */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
