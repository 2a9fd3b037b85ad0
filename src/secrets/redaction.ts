import { createFinder, type Finder, type KnownSecret, type Place } from './finder.ts'
import { isTooShort } from './forms.ts'

/** A stream of text: what may be the beginning of a secret is held back until more is there. */
export type RedactedStream = { push(text: string): string; end(): string }

export type Redaction = {
  /** From now on this value is replaced by its name. Of a name the latest values count: one that is changed may still be in use. */
  learn(secret: KnownSecret): void
  text(text: string): string
  /** The same for every text in a value made of lists and plain objects, keys as well; as many keys as before. */
  all<Value>(value: Value): Value
  stream(): RedactedStream
  /** Where known values stand in bytes. */
  find: Finder
}

/** A source that makes a new value every few minutes must not fill the memory. */
const valuesKept = 32

/**
 * What this process knows to be secret, and replaces wherever something is written or sent: hygiene, and no boundary. `short` hears once of
 * each name whose value is too short to be told from ordinary text, and so is neither replaced nor found.
 */
export function createRedaction(short?: (name: string) => void): Redaction {
  const values = new Map<string, string[]>()
  const told = new Set<string>()
  let finder: Finder | undefined

  function find(bytes: Uint8Array) {
    finder ??= createFinder([...values].flatMap(([name, of]) => of.map((value) => ({ name, value }))))
    return finder(bytes)
  }
  function text(written: string): string {
    const bytes = Buffer.from(written)
    const { places } = find(bytes)
    return places.length === 0 ? written : replaced(bytes, places)
  }
  function all<Value>(value: Value): Value
  function all(value: unknown): unknown {
    if (typeof value === 'string') return text(value)
    if (Array.isArray(value)) return value.map((item: unknown) => all(item))
    if (!isPlain(value)) return value
    const keyOf = createNaming(value)
    const said = Object.fromEntries(Object.entries(value).map(([key, item]) => [keyOf(key, text(key)), all(item)]))
    return Object.getPrototypeOf(value) === null ? Object.assign(Object.create(null), said) : said
  }

  return {
    learn({ name, value }) {
      const before = values.get(name) ?? []
      if (before.includes(value)) return
      values.set(name, [...before, value].slice(-valuesKept))
      finder = undefined
      if (short === undefined || told.has(name) || !isTooShort(value)) return
      told.add(name)
      short(name)
    },
    text,
    all,
    stream: () => createStream(find),
    find,
  }
}

function createStream(find: Finder): RedactedStream {
  let held: Buffer = Buffer.alloc(0)
  /** So many of the held bytes belong to a value whose mark is already written. */
  let covered = 0

  function take(text: string, isLast: boolean): string {
    const added = Buffer.from(text)
    const bytes = held.length === 0 ? added : Buffer.concat([held, added])
    const { places, openFrom } = find(bytes)
    if (held.length === 0 && places.length === 0 && openFrom === bytes.length) return text
    const upTo = isLast ? bytes.length : openFrom
    const said = replaced(bytes, places, { from: covered, upTo })
    for (const { start, end } of places) if (start < upTo) covered = Math.max(covered, end)
    covered = Math.max(0, covered - upTo)
    // A copy, so that the whole is not kept with it.
    held = Buffer.from(bytes.subarray(upTo))
    return said
  }

  return { push: (text) => take(text, false), end: () => take('', true) }
}

/** The text of the bytes up to `upTo`; of the first `from` bytes the mark is already written. */
function replaced(
  bytes: Buffer,
  places: readonly Place[],
  { from, upTo }: { from: number; upTo: number } = { from: 0, upTo: bytes.length },
): string {
  let [said, at] = ['', from]
  for (const { start, end, name } of places) {
    if (start >= upTo) break
    if (start >= at) said += `${bytes.toString('utf8', at, start)}[secret ${name}]`
    at = Math.max(at, end)
  }
  return said + bytes.toString('utf8', Math.min(at, upTo), upTo)
}

/** What was said of a key is numbered where another key is called so. */
function createNaming(value: object): (key: string, said: string) => string {
  const counts = new Map<string, number>()
  return (key, said) => {
    if (said === key) return key
    let [count, name] = [counts.get(said) ?? 0, '']
    do {
      count += 1
      name = count === 1 ? said : `${said} ${count}`
    } while (Object.hasOwn(value, name))
    counts.set(said, count)
    return name
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
